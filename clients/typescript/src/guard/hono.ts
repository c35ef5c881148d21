// Guards routes of Hono, on whichever server it runs.

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing, operation } from "./guard.js";
import type { GuardOptions } from "./options.js";
import { joinedLines, targetOf } from "./url.js";

export type { Caller } from "./guard.js";
export { GuardFault, type GuardOptions } from "./options.js";

/** The parts of Hono's context that are used. */
export interface HonoContext {
  readonly req: { readonly method: string; readonly url: string; header(name: string): string | undefined };
  set(name: "scopekey", value: Caller | null): void;
  header(name: string, value: string): void;
}

/** What a guarded application's context holds: `new Hono<ScopekeyEnv>()`, then `c.get("scopekey")`. */
export interface ScopekeyEnv {
  Variables: {
    /** Who calls; null for an operation that the gateway's rules make public. */
    scopekey: Caller | null;
  };
}

/** A middleware. */
// biome-ignore lint/suspicious/noConfusingVoidType: Hono's own type of a middleware says void
export type HonoGuard<C> = (context: C, next: () => Promise<void>) => Promise<Response | void>;

/** Makes middlewares to stand before a route's handler. */
export interface Requires<C> {
  /** Let through who holds all of the permissions. Throws TypeError where none is named. */
  (...permissions: Permission[]): HonoGuard<C>;
  /** Let through whom the gateway's rules let through, by method and target. */
  listed(): HonoGuard<C>;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard<C extends HonoContext = HonoContext>(options: GuardOptions<C>): Requires<C> {
  const own = new Guard(options);
  const standing =
    (question: (context: C) => Question): HonoGuard<C> =>
    async (context, next) => {
      const outcome = await own.decide({
        lines: joinedLines((name) => context.req.header(name)),
        address: () => options.address?.(context),
        question: () => question(context),
      });
      if (!outcome.allowed) {
        const { status, headers, body } = outcome.refusal;
        return new Response(body, { status, headers });
      }
      context.set("scopekey", outcome.caller);
      await next();
      // Afterwards: a handler's own Response takes the place of all that was said before it.
      for (const [name, value] of Object.entries(outcome.headers)) context.header(name, value);
      return undefined;
    };
  return Object.assign(
    (...permissions: Permission[]) => {
      const question = needing(permissions);
      return standing(() => question);
    },
    { listed: () => standing(({ req }) => operation(req.method, targetOf(req.url))) },
  );
}
