// Guards routes of Hono, on whichever server it runs.

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing } from "./guard.js";
import type { GuardOptions } from "./options.js";

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
  Variables: { scopekey: Caller | null };
}

/** A middleware. */
// biome-ignore lint/suspicious/noConfusingVoidType: Hono's own type of a middleware says void
export type HonoGuard = (context: HonoContext, next: () => Promise<void>) => Promise<Response | void>;

/** Makes middlewares to stand before a route's handler. */
export interface Requires {
  /** Let through who holds all of the permissions. */
  (...permissions: Permission[]): HonoGuard;
  /** Let through whom the gateway's rules let through, by method and target. */
  listed(): HonoGuard;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard(options: GuardOptions<HonoContext>): Requires {
  const own = new Guard(options);
  const standing =
    (questionOf: (context: HonoContext) => Question): HonoGuard =>
    async (context, next) => {
      // Lines of one name arrive joined by commas, which no key has.
      const lines = (name: string): readonly string[] => {
        const value = context.req.header(name);
        return value === undefined ? [] : [value];
      };
      const outcome = await own.decide({ lines, address: options.address?.(context) }, questionOf(context));
      if (!outcome.allowed) {
        const { status, headers, body } = outcome.refusal;
        return new Response(body, { status, headers });
      }
      context.set("scopekey", outcome.caller);
      for (const [name, value] of Object.entries(outcome.headers)) context.header(name, value);
      await next();
      return undefined;
    };
  return Object.assign(
    (...permissions: Permission[]) => {
      const question = needing(permissions);
      return standing(() => question);
    },
    { listed: () => standing(({ req }) => ({ operation: `${req.method} ${targetOf(req.url)}` })) },
  );
}

function targetOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
