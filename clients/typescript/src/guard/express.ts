// Guards routes of Express, and of whatever else calls handlers with (request, response, next).

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing, type Outcome, operation } from "./guard.js";
import { addressOf, linesOf, type NodeRequest } from "./node.js";
import type { GuardOptions } from "./options.js";

export type { Caller } from "./guard.js";
export { GuardFault, type GuardOptions } from "./options.js";

/** The parts of Express's request that are used. */
export interface ExpressRequest extends NodeRequest {
  /** The target as it was sent, wherever a router is mounted. */
  readonly originalUrl?: string | undefined;
}

/** What a guard adds to a request: who calls; null for an operation that the gateway's rules make public. */
export interface ScopekeyRequest {
  scopekey?: Caller | null;
}

/** The parts of Express's response that are used. */
export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

/** A handler that goes on with `next`, or answers a refusal. */
export type ExpressGuard<R> = (request: R, response: ExpressResponse, next: (error?: unknown) => void) => void;

/** Makes handlers to stand before a route's own, or before a whole application. */
export interface Requires<R> {
  /** Let through who holds all of the permissions. Throws TypeError where none is named. */
  (...permissions: Permission[]): ExpressGuard<R>;
  /** Let through whom the gateway's rules let through, by method and target. */
  listed(): ExpressGuard<R>;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard<R extends ExpressRequest = ExpressRequest>(options: GuardOptions<R>): Requires<R> {
  const own = new Guard(options);
  const standing =
    (question: (request: R) => Question): ExpressGuard<R> =>
    async (request, response, next) => {
      const outcome = await own.decide({
        lines: linesOf(request),
        address: () => (options.address === undefined ? addressOf(request) : options.address(request)),
        question: () => question(request),
      });
      try {
        if (answered(outcome, response)) return;
      } catch (error) {
        // Somebody else has answered meanwhile; not everyone who calls handlers looks at what they promise.
        next(error);
        return;
      }
      (request as ScopekeyRequest).scopekey = outcome.allowed ? outcome.caller : null;
      next();
    };
  return Object.assign(
    (...permissions: Permission[]) => {
      const question = needing(permissions);
      return standing(() => question);
    },
    { listed: () => standing((request) => operation(request.method, request.originalUrl ?? request.url)) },
  );
}

/** Say what was decided; true where that was all there is to say. */
function answered(outcome: Outcome, response: ExpressResponse): boolean {
  const { headers } = outcome.allowed ? outcome : outcome.refusal;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (outcome.allowed) return false;
  response.statusCode = outcome.refusal.status;
  response.end(outcome.refusal.body);
  return true;
}
