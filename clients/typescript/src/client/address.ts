// Where calls go: environments and their addresses, and which of them a key may be sent to.

import { isLoopback, readUrl } from "../sending.js";
import { ConfigurationError } from "./errors.js";
import type { Secret } from "./secret.js";

/** An environment by name, or an address. */
export type Environment = "live" | "test" | URL | (string & {});
/** The addresses that names stand for. */
export interface EnvironmentUrls {
  readonly live?: string | URL | undefined;
  readonly test?: string | URL | undefined;
}

const NAMES = ["live", "test"] as const;
type Name = (typeof NAMES)[number];

/** The address of an environment. Throws ConfigurationError where it has none. */
export function addressOf(environment: Environment, urls: EnvironmentUrls): URL {
  if (!isName(environment)) return readAddress(environment);
  const found = urls[environment];
  if (found === undefined || found === "") {
    throw new ConfigurationError(
      "no_address",
      `No address is known for ${environment}: set SCOPEKEY_${environment.toUpperCase()}_URL, or give one in \`urls\`.`,
    );
  }
  return readAddress(found);
}

/** Throws ConfigurationError where an environment was named and the key is of another. */
export function refuseOther(environment: Environment, secret: Secret): void {
  const own = secret.environment;
  if (isName(environment) && own !== undefined && own !== environment) {
    throw new ConfigurationError(
      "wrong_environment",
      `The key is of the environment ${own} and not of ${environment}: use a key of ${environment}.`,
    );
  }
}

/** Where one call goes: a path below an address, or the same origin spelled out. Throws ConfigurationError. */
export function target(base: URL, path: string): URL {
  const below = path.startsWith("/") && !/^\/[/\\]/.test(path);
  const url = readUrl(below ? prefix(base) + path : path);
  if (url === undefined || url.origin !== base.origin) {
    throw new ConfigurationError(
      "bad_request",
      `A call goes to ${base.origin} alone: give a path that begins with one "/", as in "/datasets".`,
    );
  }
  return url;
}

function prefix(base: URL): string {
  return base.origin + base.pathname.replace(/\/+$/, "");
}

function readAddress(given: string | URL): URL {
  const url = readUrl(given);
  if (url === undefined) {
    // The text itself is not repeated: somebody may have put a key there.
    throw new ConfigurationError(
      "no_address",
      "An address is https://host or http://localhost:port, without user information.",
    );
  }
  if (url.protocol !== "https:" && !isLoopback(url)) {
    throw new ConfigurationError(
      "insecure_url",
      `http://${url.host} would carry the key in the clear: use https. Only this machine itself is reached over http.`,
    );
  }
  return url;
}

function isName(environment: Environment): environment is Name {
  return (NAMES as readonly unknown[]).includes(environment);
}
