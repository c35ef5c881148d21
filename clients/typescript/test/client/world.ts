// What the tests of the client share: a server that answers what it is told, and a client whose waiting takes no time.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { ScopekeyClient } from "../../src/client/client.js";
import { isScopekeyFailure, type ScopekeyFailure } from "../../src/client/errors.js";
import type { ClientOptions } from "../../src/client/options.js";
import { SURROUNDINGS, type Surroundings } from "../../src/client/transport.js";

/** A printed key of the usual form, which nobody has. */
export const KEY = "sck_live_canary000001SECRETsecretSECRETsecretSECRETsecretSECRETsecretS";
/** What a secret part of it looks like. */
export const SECRET = /SECRETsecret/;

/** An answer, or what is done with the connection. */
export interface Told {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Say nothing, ever. */
  silent?: boolean;
  /** Close the connection. */
  broken?: boolean;
  /** Close the connection in the middle of the body. */
  cut?: boolean;
  /** Begin a body, and never end it. */
  hanging?: boolean;
}

/** A real server on loopback that answers what it was told, in that order, the last again and again. */
export class TellingServer {
  readonly heard: { method: string; url: string; headers: IncomingMessage["headers"]; body: string; port: number }[] =
    [];
  #told: Told[] = [{}];
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<TellingServer> {
    const server = new TellingServer();
    await new Promise<void>((up) => server.#server.listen(0, "127.0.0.1", up));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  tell(...told: Told[]): void {
    this.#told = told;
    this.heard.length = 0;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const part of request) body += part;
    const { method = "", url = "", headers } = request;
    this.heard.push({ method, url, headers, body, port: request.socket.remotePort ?? 0 });
    const told = this.#told.length > 1 ? (this.#told.shift() ?? {}) : (this.#told[0] ?? {});
    if (told.broken) request.socket.destroy();
    if (told.broken || told.silent) return;
    const whole = told.body ?? "{}";
    if (told.cut || told.hanging) {
      response.writeHead(told.status ?? 200, { ...told.headers, "content-length": whole.length + 1 });
      response.write(whole, () => told.cut && request.socket.destroy());
      return;
    }
    response.writeHead(told.status ?? 200, told.headers);
    response.end(whole);
  }
}

/** The failure of the client that a call ends in; whatever else it ends in is an error of the test. */
export async function failure(call: Promise<unknown>): Promise<ScopekeyFailure> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isScopekeyFailure(error)) throw new Error(`no failure of the client: ${inspect(error)}`);
  return error;
}

/** A client, and how long it would have waited between tries. */
export function patient(
  url: string,
  options: Partial<ClientOptions> = {},
): { client: ScopekeyClient; waited: number[] } {
  const waited: number[] = [];
  const surroundings: Surroundings = {
    ...SURROUNDINGS,
    random: () => 0.5,
    sleep: async (milliseconds, signal) => {
      waited.push(milliseconds);
      signal?.throwIfAborted();
    },
  };
  return { client: new ScopekeyClient({ apiKey: KEY, environment: url, ...options }, surroundings), waited };
}

/** A refusal as Scopekey words it. */
export function refusal(code: string, status: number, more: object = {}, headers: Record<string, string> = {}): Told {
  const body = JSON.stringify({
    code,
    status,
    title: "A title",
    detail: "What happened. What to do.",
    request_id: "req_1",
    ...more,
  });
  return { status, body, headers: { "content-type": "application/problem+json", "scopekey-code": code, ...headers } };
}
