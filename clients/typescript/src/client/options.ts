// What a client is made with.

import type { Environment, EnvironmentUrls } from "./address.js";
import { ConfigurationError } from "./errors.js";
import type { KeyExpiry } from "./expiry.js";

const RETRIES = 2;

/** What a client is made with; only the key and the environment have no default. */
export interface ClientOptions {
  /** The printed key. */
  apiKey: string;
  /** `live` or `test`, looked up in `urls`, or the platform's address. */
  environment: Environment;
  /** The addresses that `live` and `test` stand for. */
  urls?: EnvironmentUrls | undefined;
  /** Where Scopekey's own API is; at the platform's address unless it is given. */
  scopekeyUrl?: string | URL | undefined;
  /** Sent with every call. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long one try may take, in milliseconds; 30 seconds unless it is given, `Infinity` for no limit. */
  timeoutMs?: number | undefined;
  /** How often a call is tried again, where that is safe; twice unless it is given. */
  retries?: number | undefined;
  /** Tell each try on `console.debug`: never a header or a body. */
  verbose?: boolean | undefined;
  /** Called once for each key and date when an answer says that the key ends soon; `console.warn` unless it is given. */
  onKeyExpiring?: ((expiry: KeyExpiry) => unknown) | undefined;
  /** How soon is soon, in milliseconds; 7 days unless it is given. */
  warnBeforeMs?: number | undefined;
  /** What makes requests, in the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** Options as the environment variables say them, with those that are given in their place. Throws ConfigurationError. */
export function optionsFrom(
  variables: Readonly<Record<string, string | undefined>>,
  given: Partial<ClientOptions>,
): ClientOptions {
  const apiKey = given.apiKey ?? variables.SCOPEKEY_API_KEY;
  if (apiKey === undefined) {
    throw new ConfigurationError("no_api_key", "SCOPEKEY_API_KEY is not set: put the key there, or give `apiKey`.");
  }
  const environment = given.environment ?? (variables.SCOPEKEY_ENVIRONMENT || variables.SCOPEKEY_URL);
  if (!environment) {
    throw new ConfigurationError(
      "no_address",
      "SCOPEKEY_ENVIRONMENT is not set: put the platform's address there, or `live` or `test`.",
    );
  }
  const urls = { live: variables.SCOPEKEY_LIVE_URL, test: variables.SCOPEKEY_TEST_URL, ...given.urls };
  return {
    ...given,
    apiKey,
    environment,
    urls,
    scopekeyUrl: given.scopekeyUrl ?? (variables.SCOPEKEY_URL || undefined),
  };
}

/** How often a call is tried again. Throws ConfigurationError: by what is no number, a call would go on for ever. */
export function triesAgain(given: number = RETRIES): number {
  if (Number.isInteger(given) && given >= 0) return given;
  throw new ConfigurationError("bad_request", "`retries` is a whole number, 0 or more.");
}

/** The environment variables, where there are any: browsers have none. */
export function environmentVariables(): Readonly<Record<string, string | undefined>> {
  const found = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  return found ?? {};
}
