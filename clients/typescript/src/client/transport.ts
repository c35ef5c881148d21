// One call as the tries that it takes: the key and the time limit of each, what is learned from answers, what is logged.

import { kindOf } from "../sending.js";
import { type Call, isStream } from "./call.js";
import { isScopekeyFailure, type ScopekeyFailure, UnreachableError } from "./errors.js";
import type { ExpiryWatch } from "./expiry.js";
import { newer } from "./position.js";
import { refusalOf } from "./refusal.js";
import { retryAfterIn, sleep, waitBefore } from "./retry.js";
import type { Secret } from "./secret.js";
import { VERSION } from "./version.js";

/** What does not come from a call, so that tests can say what it is. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly uuid: () => string;
}

/** Time and chance as they are. */
export const SURROUNDINGS: Surroundings = {
  now: Date.now,
  random: Math.random,
  sleep,
  uuid: () => crypto.randomUUID(),
};

/** Where an answer comes from, and what must not stand in an error about it. */
export interface From {
  readonly host: string;
  readonly secret: Secret;
}

/** What is made of a good answer, within the time limit of its try. */
export type Read<Answer> = (response: Response, from: From) => Promise<Answer>;

/** What a try is told with. */
interface Try {
  readonly call: Call;
  readonly before: number;
  readonly began: number;
}

/** Sends calls. Whatever is no success is thrown as a `ScopekeyFailure`; an abort as the signal's own reason. */
export class Transport {
  #position: string | undefined;

  constructor(
    private readonly fetch: typeof globalThis.fetch,
    private readonly retries: number,
    private readonly verbose: boolean,
    private readonly expiry: ExpiryWatch,
    private readonly surroundings: Surroundings,
  ) {}

  /** Send a call with a key, again where that is safe; gives what `read` makes of the good answer. */
  async send<Answer>(call: Call, secret: Secret, read: Read<Answer>): Promise<Answer> {
    const once = call.headers.has("idempotency-key");
    // What was read once cannot be sent again.
    const most = isStream(call.body) ? 0 : this.retries;
    for (let before = 0; ; before += 1) {
      try {
        return await this.#attempt({ call, before, began: this.surroundings.now() }, secret, read);
      } catch (error) {
        if (!isScopekeyFailure(error)) throw error;
        const attempt = { method: call.method, once, before };
        const asked = retryAfterIn(error, this.surroundings.now());
        const wait = waitBefore(error, attempt, most, asked, this.surroundings.random());
        if (wait === undefined) throw error;
        await this.surroundings.sleep(wait, call.signal);
      }
    }
  }

  async #attempt<Answer>(one: Try, secret: Secret, read: Read<Answer>): Promise<Answer> {
    const { call } = one;
    call.signal?.throwIfAborted();
    const limit = new AbortController();
    const signal = call.signal === undefined ? limit.signal : AbortSignal.any([call.signal, limit.signal]);
    const timer = setTimeout(() => limit.abort(), call.timeoutMs);
    try {
      const response = await this.fetch(call.url, {
        method: call.method,
        headers: this.#headers(call, secret),
        body: call.body ?? null,
        redirect: "manual",
        signal,
        // Without this no stream is sent; with anything else it means nothing.
        duplex: "half",
      });
      this.#learn(response, secret);
      if (!response.ok) throw await refusalOf(response, secret, this.surroundings.now(), signal);
      const answer = await read(response, { host: call.url.host, secret });
      this.#log(one, String(response.status), response.headers.get("x-request-id"));
      return answer;
    } catch (error) {
      throw this.#failure(one, error, limit.signal.aborted);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(one: Try, error: unknown, late: boolean): ScopekeyFailure {
    if (isScopekeyFailure(error)) {
      this.#log(one, String(error.status ?? error.code), error.requestId);
      return error;
    }
    one.call.signal?.throwIfAborted();
    this.#log(one, late ? "no answer in time" : "no answer", undefined);
    const { host } = one.call.url;
    return late
      ? new UnreachableError("timeout", `${host} did not answer within ${one.call.timeoutMs} ms.`)
      : new UnreachableError(
          "unreachable",
          `${host} did not answer (${kindOf(error)}): is it running, is the address right?`,
        );
  }

  #headers(call: Call, secret: Secret): Headers {
    const headers = new Headers(call.headers);
    headers.set("authorization", `Bearer ${secret.reveal()}`);
    if (!headers.has("user-agent")) headers.set("user-agent", `scopekey-typescript/${VERSION}`);
    if (this.#position !== undefined) headers.set("scopekey-position", this.#position);
    return headers;
  }

  #learn(response: Response, secret: Secret): void {
    this.#position = newer(this.#position, response.headers.get("scopekey-position"));
    this.expiry.look(response.headers, secret, this.surroundings.now());
  }

  #log(one: Try, what: string, requestId: string | null | undefined): void {
    if (!this.verbose) return;
    const { method, url } = one.call;
    const again = one.before === 0 ? "" : `, try ${one.before + 1}`;
    const named = requestId ? `, ${requestId}` : "";
    const took = Math.round(this.surroundings.now() - one.began);
    // biome-ignore lint/suspicious/noConsole: asked for by `verbose`
    console.debug(`scopekey: ${method} ${url.origin}${url.pathname} ${what}, ${took} ms${named}${again}`);
  }
}
