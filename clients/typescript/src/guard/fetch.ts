// Guards handlers of the Fetch API: Deno, Bun, workers, and whatever else answers a `Request` with a `Response`.

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing, operation } from "./guard.js";
import type { GuardOptions } from "./options.js";
import { joinedLines, targetOf } from "./url.js";

export type { Caller } from "./guard.js";
export { GuardFault, type GuardOptions } from "./options.js";

/** A handler that is told who calls, and then whatever its server gives it. */
export type GuardedHandler<Who, Rest extends unknown[]> = (
  request: Request,
  caller: Who,
  ...rest: Rest
) => Response | Promise<Response>;
/** A handler as servers take it. */
export type Handler<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Promise<Response>;

/** Wraps handlers, so that they run only for keys that may call them. */
export interface Requires {
  /**
   * Let through who holds all of the permissions, as in `requires("datasets:read", handler)`. Throws TypeError
   * where none is named.
   */
  <Rest extends unknown[]>(
    ...needed: [...permissions: Permission[], handler: GuardedHandler<Caller, Rest>]
  ): Handler<Rest>;
  /** Let through whom the gateway's rules let through, by method and target; a public operation has no caller. */
  listed<Rest extends unknown[]>(handler: GuardedHandler<Caller | null, Rest>): Handler<Rest>;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard(options: GuardOptions<Request>): Requires {
  const own = new Guard(options);
  function around<Rest extends unknown[]>(
    question: (request: Request) => Question,
    // Whoever named permissions is never given null: a yes that names nobody is refused.
    handler: GuardedHandler<Caller, Rest> | GuardedHandler<Caller | null, Rest>,
  ): Handler<Rest> {
    return async (request, ...rest) => {
      const outcome = await own.decide({
        lines: joinedLines((name) => request.headers.get(name)),
        address: () => options.address?.(request),
        question: () => question(request),
      });
      if (!outcome.allowed) {
        const { status, headers, body } = outcome.refusal;
        return new Response(request.method === "HEAD" ? null : body, { status, headers });
      }
      return withHeaders(await handler(request, outcome.caller as Caller, ...rest), outcome.headers);
    };
  }
  const requires = <Rest extends unknown[]>(
    ...needed: [...permissions: Permission[], handler: GuardedHandler<Caller, Rest>]
  ): Handler<Rest> => {
    const handler = needed.at(-1) as GuardedHandler<Caller, Rest>;
    const question = needing(needed.slice(0, -1) as Permission[]);
    return around(() => question, handler);
  };
  return Object.assign(requires, {
    listed: <Rest extends unknown[]>(handler: GuardedHandler<Caller | null, Rest>) =>
      around((request) => operation(request.method, targetOf(request.url)), handler),
  });
}

function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Response {
  // What was said at an upgrade to another protocol cannot be said anew.
  if (response.status < 200) return response;
  // The answer of another fetch has header fields that cannot be changed.
  const fresh = new Response(response.body, response);
  for (const [name, value] of Object.entries(headers)) fresh.headers.set(name, value);
  return fresh;
}
