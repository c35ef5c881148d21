// Guards routes of Express, and of whatever else calls handlers with (request, response, next).

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing } from "./guard.js";
import { addressOf, linesOf, type NodeRequest } from "./node.js";
import type { GuardOptions } from "./options.js";

export type { Caller } from "./guard.js";
export { GuardFault, type GuardOptions } from "./options.js";

/** The parts of Express's request that are used. The guard adds `scopekey`, who calls. */
export interface ExpressRequest extends NodeRequest {
  /** The target as it was sent, wherever a router is mounted. */
  readonly originalUrl?: string | undefined;
  scopekey?: Caller | null;
}

/** The parts of Express's response that are used. */
export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

/** A handler that goes on with `next`, or answers a refusal. */
export type ExpressGuard = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (error?: unknown) => void,
) => void;

/** Makes handlers to stand before a route's own. */
export interface Requires {
  /** Let through who holds all of the permissions. */
  (...permissions: Permission[]): ExpressGuard;
  /** Let through whom the gateway's rules let through, by method and target. */
  listed(): ExpressGuard;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard(options: GuardOptions<ExpressRequest>): Requires {
  const own = new Guard(options);
  const standing =
    (questionOf: (request: ExpressRequest) => Question): ExpressGuard =>
    (request, response, next) => {
      const address = options.address === undefined ? addressOf(request) : options.address(request);
      own.decide({ lines: linesOf(request), address }, questionOf(request)).then((outcome) => {
        const { headers } = outcome.allowed ? outcome : outcome.refusal;
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        if (outcome.allowed) {
          request.scopekey = outcome.caller;
          next();
          return;
        }
        response.statusCode = outcome.refusal.status;
        response.end(outcome.refusal.body);
      }, next);
    };
  return Object.assign(
    (...permissions: Permission[]) => {
      const question = needing(permissions);
      return standing(() => question);
    },
    { listed: () => standing((request) => ({ operation: `${request.method} ${request.originalUrl ?? request.url}` })) },
  );
}
