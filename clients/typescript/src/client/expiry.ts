// Says once that a key ends soon.

import type { Secret } from "./secret.js";

const SOON_MS = 7 * 86_400_000;

/** A key that ends soon. */
export interface KeyExpiry {
  /** `key_…`, where the key has the usual form. */
  readonly keyId: string | undefined;
  readonly expiresAt: Date;
  /** Milliseconds; negative where it has ended. */
  readonly remaining: number;
}

/** Watches `Scopekey-Key-Expires` of answers. What a hook throws does not reach the call. */
export class ExpiryWatch {
  readonly #told = new Set<string>();
  readonly #hook: (expiry: KeyExpiry) => unknown;
  readonly #before: number;

  constructor(hook: ((expiry: KeyExpiry) => unknown) | undefined, beforeMs: number | undefined) {
    this.#hook = hook ?? warn;
    this.#before = beforeMs ?? SOON_MS;
  }

  /** Look at an answer to a call with this key. */
  look(headers: Headers, secret: Secret, now: number): void {
    const said = headers.get("scopekey-key-expires");
    const at = said === null ? Number.NaN : Date.parse(said);
    if (Number.isNaN(at) || at - now > this.#before) return;
    const which = `${secret.reveal()} ${at}`;
    if (this.#told.has(which)) return;
    this.#told.add(which);
    try {
      const given = this.#hook({ keyId: secret.keyId, expiresAt: new Date(at), remaining: at - now });
      // A promise that fails with nobody there ends the program.
      void Promise.resolve(given).catch(() => undefined);
    } catch {
      // A warning that cannot be given is not the call's concern.
    }
  }
}

function warn(expiry: KeyExpiry): void {
  // biome-ignore lint/suspicious/noConsole: whoever gives no hook is told here
  console.warn(`scopekey: the key ${expiry.keyId ?? "in use"} ends at ${expiry.expiresAt.toISOString()}.`);
}
