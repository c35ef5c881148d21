// The client: for the calls of a platform that Scopekey guards, and for Scopekey's own API.

import { addressOf, type Environment, refuseOther } from "./address.js";
import { type Defaults, fields, limit, prepare, type RequestOptions } from "./call.js";
import { UnreachableError } from "./errors.js";
import { ExpiryWatch } from "./expiry.js";
import { type Asked, Management } from "./management.js";
import { type ClientOptions, environmentVariables, optionsFrom, triesAgain } from "./options.js";
import { noJson } from "./refusal.js";
import { Secret } from "./secret.js";
import { type From, type Read, SURROUNDINGS, type Surroundings, Transport } from "./transport.js";

const TIMEOUT_MS = 30_000;

/**
 * Calls a platform whose keys Scopekey checks, and Scopekey's own API, with one key.
 *
 * Whatever is no success is thrown as one of `ScopekeyFailure`. Calls that may be repeated are tried again (spec/clients.md).
 */
export class ScopekeyClient extends Management {
  readonly #environment: Environment;
  readonly #defaults: Defaults;
  readonly #platform: URL;
  readonly #scopekey: URL;
  readonly #transport: Transport;
  readonly #surroundings: Surroundings;
  #secret: Secret;

  /** Throws ConfigurationError where key and addresses do not fit. */
  constructor(options: ClientOptions, surroundings: Surroundings = SURROUNDINGS) {
    super();
    this.#environment = options.environment;
    this.#defaults = { headers: options.headers, timeoutMs: limit(options.timeoutMs ?? TIMEOUT_MS) };
    fields(options.headers);
    this.#surroundings = surroundings;
    this.#secret = new Secret(options.apiKey);
    this.#platform = addressOf(options.environment, options.urls ?? {});
    this.#scopekey = options.scopekeyUrl === undefined ? this.#platform : addressOf(options.scopekeyUrl, {});
    refuseOther(options.environment, this.#secret);
    this.#transport = new Transport(
      options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      triesAgain(options.retries),
      options.verbose ?? false,
      new ExpiryWatch(options.onKeyExpiring, options.warnBeforeMs),
      surroundings,
    );
  }

  /** A client as the environment variables say it (`SCOPEKEY_API_KEY`, `SCOPEKEY_ENVIRONMENT`…); what is given wins. */
  static fromEnvironment(options: Partial<ClientOptions> = {}): ScopekeyClient {
    return new ScopekeyClient(optionsFrom(environmentVariables(), options));
  }

  /** Use another key from the next call on. Throws ConfigurationError where it does not fit. */
  setApiKey(apiKey: string): void {
    const secret = new Secret(apiKey);
    refuseOther(this.#environment, secret);
    this.#secret = secret;
  }

  /** The key as it may be shown: `sck_live_Ab3dEf6hIj9k…`. The whole one only with `reveal: true`. */
  getApiKey(options: { reveal?: boolean } = {}): string {
    return options.reveal === true ? this.#secret.reveal() : this.#secret.toString();
  }

  /** Call the platform. Gives the good answer (2xx) as it comes; everything else is thrown. */
  request(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    return this.#send(this.#platform, method, path, options, asItComes);
  }

  /** The same, for an answer that is JSON: undefined where it has no content. What it holds is the platform's word: nothing is checked. */
  requestJson<Answer>(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.#send(this.#platform, method, path, options, platforms<Answer>);
  }

  override toString(): string {
    return `ScopekeyClient(${this.#platform.origin}, ${this.#secret})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  protected override ask<Answer>(asked: Asked): Promise<Answer> {
    return this.#send(this.#scopekey, asked.method, asked.path, asked, scopekeys<Answer>);
  }

  protected override fetch<Answer>(asked: Asked, read: (response: Response) => Promise<Answer>): Promise<Answer> {
    return this.#send(this.#scopekey, asked.method, asked.path, asked, read);
  }

  protected override fresh(): string {
    return this.#surroundings.uuid();
  }

  // Async, so that what is wrong with a call is thrown where its answer is waited for.
  async #send<Answer>(
    base: URL,
    method: string,
    path: string,
    options: RequestOptions,
    read: Read<Answer>,
  ): Promise<Answer> {
    return this.#transport.send(prepare(base, method, path, options, this.#defaults), this.#secret, read);
  }
}

async function asItComes(response: Response): Promise<Response> {
  return response;
}

async function platforms<Answer>(response: Response, from: From): Promise<Answer> {
  const text = await response.text();
  if (text === "") return undefined as Answer;
  try {
    return JSON.parse(text);
  } catch {
    throw noJson(response, text, from.secret);
  }
}

async function scopekeys<Answer>(response: Response, from: From): Promise<Answer> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // Without its cause, whose words repeat what was read: a new secret perhaps.
    throw new UnreachableError("unreachable", `${from.host} answered something that is no answer of Scopekey's.`);
  }
}
