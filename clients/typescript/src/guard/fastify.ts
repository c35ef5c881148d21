// Guards routes of Fastify, as an `onRequest` hook: before a body is read.

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing } from "./guard.js";
import { addressOf, linesOf, type NodeRequest } from "./node.js";
import type { GuardOptions } from "./options.js";

export type { Caller } from "./guard.js";
export { GuardFault, type GuardOptions } from "./options.js";

/** The parts of Fastify's request that are used. The guard adds `scopekey`, who calls. */
export interface FastifyRequest {
  readonly raw: NodeRequest;
  scopekey?: Caller | null;
}

/** The parts of Fastify's reply that are used. */
export interface FastifyReply {
  code(status: number): unknown;
  headers(values: Readonly<Record<string, string>>): unknown;
  send(body: string): unknown;
}

/** An `onRequest` hook. */
export type FastifyGuard = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Makes hooks for routes. */
export interface Requires {
  /** Let through who holds all of the permissions. */
  (...permissions: Permission[]): FastifyGuard;
  /** Let through whom the gateway's rules let through, by method and target. */
  listed(): FastifyGuard;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard(options: GuardOptions<FastifyRequest>): Requires {
  const own = new Guard(options);
  const standing =
    (questionOf: (request: FastifyRequest) => Question): FastifyGuard =>
    async (request, reply) => {
      const address = options.address === undefined ? addressOf(request.raw) : options.address(request);
      const outcome = await own.decide({ lines: linesOf(request.raw), address }, questionOf(request));
      if (outcome.allowed) {
        request.scopekey = outcome.caller;
        reply.headers(outcome.headers);
        return undefined;
      }
      reply.code(outcome.refusal.status);
      reply.headers(outcome.refusal.headers);
      // Whatever a hook returns that is the reply ends the request here.
      return reply.send(outcome.refusal.body);
    };
  return Object.assign(
    (...permissions: Permission[]) => {
      const question = needing(permissions);
      return standing(() => question);
    },
    { listed: () => standing(({ raw }) => ({ operation: `${raw.method} ${raw.url}` })) },
  );
}
