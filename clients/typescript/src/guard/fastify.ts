// Guards routes of Fastify, as an `onRequest` hook: before a body is read.

import type { Permission } from "../permissions.js";
import type { Question } from "./ask.js";
import { type Caller, Guard, needing, operation } from "./guard.js";
import { addressOf, linesOf, type NodeRequest } from "./node.js";
import type { GuardOptions } from "./options.js";

export type { Caller } from "./guard.js";
export { GuardFault, type GuardOptions } from "./options.js";

/** The parts of Fastify's request that are used. */
export interface FastifyRequest {
  readonly raw: NodeRequest;
}

/** What a guard adds to a request: who calls; null for an operation that the gateway's rules make public. */
export interface ScopekeyRequest {
  scopekey?: Caller | null;
}

/** The parts of Fastify's reply that are used. */
export interface FastifyReply {
  code(status: number): unknown;
  headers(values: Readonly<Record<string, string>>): unknown;
  send(body: Buffer): unknown;
}

/** An `onRequest` hook. */
export type FastifyGuard<R> = (request: R, reply: FastifyReply) => Promise<unknown>;

/** Makes hooks for routes, or for a whole application. */
export interface Requires<R> {
  /** Let through who holds all of the permissions. Throws TypeError where none is named. */
  (...permissions: Permission[]): FastifyGuard<R>;
  /** Let through whom the gateway's rules let through, by method and target. */
  listed(): FastifyGuard<R>;
}

/** Make a guard. Throws TypeError for options that cannot be worked with. */
export function guard<R extends FastifyRequest = FastifyRequest>(options: GuardOptions<R>): Requires<R> {
  const own = new Guard(options);
  const standing =
    (question: (request: R) => Question): FastifyGuard<R> =>
    async (request, reply) => {
      const outcome = await own.decide({
        lines: linesOf(request.raw),
        address: () => (options.address === undefined ? addressOf(request.raw) : options.address(request)),
        question: () => question(request),
      });
      if (outcome.allowed) {
        (request as ScopekeyRequest).scopekey = outcome.caller;
        reply.headers(outcome.headers);
        return undefined;
      }
      reply.code(outcome.refusal.status);
      reply.headers(outcome.refusal.headers);
      // As bytes: to text Fastify adds a charset, which JSON has none of. The reply that is returned ends the request here.
      return reply.send(Buffer.from(outcome.refusal.body));
    };
  return Object.assign(
    (...permissions: Permission[]) => {
      const question = needing(permissions);
      return standing(() => question);
    },
    { listed: () => standing(({ raw }) => operation(raw.method, raw.url)) },
  );
}
