// Guards handlers of the Fetch API: Deno, Bun, workers, and whatever else answers a `Request` with a `Response`.

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing } from "./guard.js";
import type { GuardOptions } from "./options.js";

export type { Caller } from "./guard.js";
export { GuardFault, type GuardOptions } from "./options.js";

/** A handler that is told who calls, and then whatever its server gives it. */
export type GuardedHandler<Rest extends unknown[]> = (
  request: Request,
  caller: Caller | null,
  ...rest: Rest
) => Response | Promise<Response>;
/** A handler as servers take it. */
export type Handler<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Promise<Response>;

/** Wraps handlers, so that they run only for keys that may call them. */
export interface Requires {
  /** Let through who holds the permission. */
  <Rest extends unknown[]>(permission: Permission, handler: GuardedHandler<Rest>): Handler<Rest>;
  /** Let through who holds all of the permissions. */
  <Rest extends unknown[]>(permissions: readonly Permission[], handler: GuardedHandler<Rest>): Handler<Rest>;
  /** Let through whom the gateway's rules let through, by method and target. */
  listed<Rest extends unknown[]>(handler: GuardedHandler<Rest>): Handler<Rest>;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard(options: GuardOptions<Request>): Requires {
  const own = new Guard(options);
  function around<Rest extends unknown[]>(
    ask: (request: Request) => Question,
    handler: GuardedHandler<Rest>,
  ): Handler<Rest> {
    return async (request, ...rest) => {
      const asking = { lines: linesOf(request), address: options.address?.(request) };
      const outcome = await own.decide(asking, ask(request));
      if (!outcome.allowed) {
        const { status, headers, body } = outcome.refusal;
        return new Response(request.method === "HEAD" ? null : body, { status, headers });
      }
      return withHeaders(await handler(request, outcome.caller, ...rest), outcome.headers);
    };
  }
  const requires = <Rest extends unknown[]>(
    permissions: Permission | readonly Permission[],
    handler: GuardedHandler<Rest>,
  ): Handler<Rest> => {
    const question = needing(typeof permissions === "string" ? [permissions] : permissions);
    return around(() => question, handler);
  };
  return Object.assign(requires, {
    listed: <Rest extends unknown[]>(handler: GuardedHandler<Rest>) =>
      around((request) => ({ operation: `${request.method} ${targetOf(request.url)}` }), handler),
  });
}

/** Lines of one name arrive joined by commas, which no key has. */
function linesOf(request: Request): (name: string) => readonly string[] {
  return (name) => {
    const value = request.headers.get(name);
    return value === null ? [] : [value];
  };
}

function targetOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Response {
  // The answer of another fetch has header fields that cannot be changed.
  const fresh = new Response(response.body, response);
  for (const [name, value] of Object.entries(headers)) fresh.headers.set(name, value);
  return fresh;
}
