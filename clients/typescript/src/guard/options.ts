// What a guard is made with, looked at once.

import { isLoopback, isSendable, readUrl } from "../sending.js";

/** What a guard is made with. `Request` is what the framework calls one. */
export interface GuardOptions<Request> {
  /** The address of a gateway, or of `scopekey serve`: https, or http on this machine. */
  gateway: string | URL;
  /** The guard's own key: it holds `scopekey_verifications:write` and nothing else. */
  apiKey: string | undefined;
  /** How long an answer of the gateway is waited for, in milliseconds; 2 seconds unless it is given. */
  timeoutMs?: number | undefined;
  /** What a missing permission is answered with; 401 unless it is given. */
  missingPermissionStatus?: 401 | 403 | undefined;
  /**
   * The caller's address, for keys that are bound to networks. Of a Node.js request it is the socket's unless this is given,
   * of a fetch request unknown. Behind a proxy, give one that reads what that proxy writes.
   */
  address?: ((request: Request) => string | undefined) | undefined;
  /** Told of what kept the guard from asking; `console.error`, once a minute at most, unless it is given. */
  onFault?: ((error: GuardFault) => unknown) | undefined;
  /** What makes requests, in the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** Something that kept a guard from deciding. Its message holds no key. */
export class GuardFault extends Error {
  override readonly name = "GuardFault";
}

/** Options as they are used: every default in its place. */
export interface Settled {
  readonly url: URL;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly missingPermissionStatus: 401 | 403;
  readonly onFault: (error: GuardFault) => unknown;
  readonly fetch: typeof globalThis.fetch;
}

const TIMEOUT_MS = 2_000;
const LONGEST_TIMEOUT_MS = 60_000;
const TELL_EVERY_MS = 60_000;

/** Check options. Throws TypeError that says what to mend. */
export function settle<Request>(options: GuardOptions<Request>): Settled {
  const { apiKey, timeoutMs = TIMEOUT_MS, missingPermissionStatus = 401 } = options;
  if (!isSendable(apiKey)) {
    throw new TypeError(
      "guard: `apiKey` is missing or no key: give the printed key of this guard, from SCOPEKEY_API_KEY",
    );
  }
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > LONGEST_TIMEOUT_MS) {
    throw new TypeError("guard: `timeoutMs` is a whole number of milliseconds, from 1 to 60000");
  }
  if (missingPermissionStatus !== 401 && missingPermissionStatus !== 403) {
    throw new TypeError("guard: `missingPermissionStatus` is 401 or 403");
  }
  return {
    url: question(options.gateway),
    apiKey,
    timeoutMs,
    missingPermissionStatus,
    onFault: options.onFault ?? nowAndThen(),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  };
}

function question(gateway: string | URL): URL {
  const url = readUrl(gateway);
  if (url === undefined || (url.protocol !== "https:" && !isLoopback(url))) {
    throw new TypeError("guard: `gateway` is an https:// address, or http:// on this machine: keys go there");
  }
  return new URL(`${url.origin}${url.pathname.replace(/\/+$/, "")}/v1/verify`);
}

function nowAndThen(): (error: GuardFault) => void {
  let told = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = Date.now();
    if (now - told < TELL_EVERY_MS) return;
    told = now;
    // biome-ignore lint/suspicious/noConsole: whoever gives no hook is told here
    console.error(`scopekey: ${error.message}`);
  };
}
