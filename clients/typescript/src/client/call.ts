// From what a call is asked for with to what is sent. What `fetch` would refuse is refused here: thrown by `fetch`, it
// would look like a server that does not answer.

import { target } from "./address.js";
import { ConfigurationError } from "./errors.js";

const BODILESS = new Set(["GET", "HEAD"]);
const NEVER_SENT = new Set(["CONNECT", "TRACE", "TRACK"]);
// A timer that is asked for more fires at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Fields = Readonly<Record<string, string>>;

/** What one call of the platform is made with. */
export interface RequestOptions {
  /** Added to the path; a list becomes several parameters of one name. */
  query?: Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>> | undefined;
  /** Sent as JSON; as `application/json`, unless `headers` names another kind. */
  json?: unknown;
  /** Sent as it is; only one of `json` and `body`. A stream is sent once: such a call is not tried again. */
  body?: RequestInit["body"] | undefined;
  /** In the place of the client's own of the same name. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long one try may take, in milliseconds; `Infinity` for no limit. */
  timeoutMs?: number | undefined;
  /** Ends the call, its waiting between tries too. */
  signal?: AbortSignal | undefined;
  /** Makes it safe to try any call again. */
  idempotencyKey?: string | undefined;
}

/** One call, ready to be sent. */
export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: RequestInit["body"] | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What a client gives to each of its calls. */
export interface Defaults {
  readonly headers: Fields | undefined;
  readonly timeoutMs: number;
}

/** A call below an address. Throws ConfigurationError where it cannot be made as it is asked for. */
export function prepare(base: URL, method: string, path: string, options: RequestOptions, defaults: Defaults): Call {
  const url = target(base, path);
  for (const [name, value] of Object.entries(options.query ?? {})) addParameter(url, name, value);
  const headers = fields(defaults.headers, options.headers);
  if (options.json !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
  if (options.idempotencyKey !== undefined) addIdempotencyKey(headers, options.idempotencyKey);
  return {
    method: readMethod(method, options),
    url,
    headers,
    body: options.json === undefined ? options.body : JSON.stringify(options.json),
    timeoutMs: options.timeoutMs === undefined ? defaults.timeoutMs : limit(options.timeoutMs),
    signal: options.signal,
  };
}

/** Whether a body can be read only once. */
export function isStream(body: unknown): boolean {
  return body instanceof ReadableStream || (typeof body === "object" && body !== null && Symbol.asyncIterator in body);
}

/** Header fields, those that are given later in the place of earlier ones. Throws ConfigurationError. */
export function fields(...given: readonly (Fields | undefined)[]): Headers {
  const headers = new Headers();
  for (const [name, value] of given.flatMap((some) => Object.entries(some ?? {}))) setField(headers, name, value);
  return headers;
}

/** A time limit as a timer can count it. Throws ConfigurationError. */
export function limit(milliseconds: number): number {
  if (!(milliseconds > 0)) {
    throw new ConfigurationError("bad_request", "A time limit is more than 0 milliseconds; `Infinity` is none.");
  }
  return Math.min(milliseconds, LONGEST_TIMER_MS);
}

function readMethod(method: string, { json, body }: RequestOptions): string {
  const name = method.toUpperCase();
  if (!/^[A-Z]+$/.test(name) || NEVER_SENT.has(name)) {
    throw new ConfigurationError("bad_request", "A method is as in GET.");
  }
  if (json !== undefined && body !== undefined && body !== null) {
    throw new ConfigurationError("bad_request", "Give `json` or `body`, not both.");
  }
  if (BODILESS.has(name) && (json ?? body ?? undefined) !== undefined) {
    throw new ConfigurationError("bad_request", `${name} has no body: what it asks for stands in \`query\`.`);
  }
  return name;
}

function setField(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    // Without its cause, which repeats the value.
    throw new ConfigurationError(
      "bad_request",
      `The header field ${JSON.stringify(name)} cannot be sent: a line end, or another character that no field has.`,
    );
  }
}

function addIdempotencyKey(headers: Headers, key: string): void {
  if (key === "") throw new ConfigurationError("bad_request", "An idempotency key is not empty.");
  setField(headers, "idempotency-key", key);
}

function addParameter(url: URL, name: string, value: NonNullable<RequestOptions["query"]>[string]): void {
  for (const one of Array.isArray(value) ? value : [value]) {
    if (one !== undefined && one !== null) url.searchParams.append(name, String(one));
  }
}
