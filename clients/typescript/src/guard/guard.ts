// What is the same in every framework: a request is asked about once, and is let through for a plain yes alone.

import { readCredential } from "../core/credential.js";
import type { Permission } from "../permissions.js";
import { ask, type Question, type Verdict } from "./ask.js";
import { GuardFault, type GuardOptions, type Settled, settle } from "./options.js";
import { type Refusal, refuse, refuseCredential, refuseUnchecked, told } from "./respond.js";

/** Who calls, for the handler. */
export interface Caller {
  readonly keyId: string;
  readonly organization: string;
  readonly environment: string;
  /** What the key holds. */
  readonly permissions: readonly Permission[];
  /** RFC 3339; null where the key does not end. */
  readonly expiresAt: string | null;
  /** Whether the gateway has not heard of changes for longer than it should have. */
  readonly stale: boolean;
}

/** A request is let through, with header fields for its answer; the caller is null for an operation that is public. */
export type Outcome =
  | { readonly allowed: true; readonly caller: Caller | null; readonly headers: Readonly<Record<string, string>> }
  | { readonly allowed: false; readonly refusal: Refusal };

/** All field lines of a name, in lower case, each as it was sent. */
export type FieldLines = (name: string) => readonly string[];

/** What a framework's adapter takes from a request. */
export interface Asking {
  readonly lines: FieldLines;
  /** The caller's address, where it is known. */
  readonly address: string | undefined;
}

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** Decides requests of one application. */
export class Guard<Request> {
  readonly #settled: Settled;

  /** Throws TypeError for options that cannot be worked with. */
  constructor(options: GuardOptions<Request>) {
    this.#settled = settle(options);
  }

  /** Decide one request. Never throws: a fault is a refusal. */
  async decide(asking: Asking, question: Question): Promise<Outcome> {
    const requestId = requestIdOf(asking.lines);
    try {
      const credential = readCredential(asking.lines);
      if (credential.kind !== "key") return { allowed: false, refusal: refuseCredential(credential.kind, requestId) };
      const verdict = await ask(this.#settled, credential.text, question, asking.address, requestId);
      const caller = verdict.allowed ? callerOf(verdict) : undefined;
      if (caller === null && "permissions" in question) throw new GuardFault("a yes that names no key was given");
      if (caller !== undefined) return { allowed: true, caller, headers: told(verdict, question) };
      return {
        allowed: false,
        refusal: refuse(verdict, question, requestId, this.#settled.missingPermissionStatus),
      };
    } catch (error) {
      this.#tell(error);
      return { allowed: false, refusal: refuseUnchecked(requestId) };
    }
  }

  #tell(error: unknown): void {
    const kind = error instanceof Error ? error.name : "unknown";
    try {
      this.#settled.onFault(error instanceof GuardFault ? error : new GuardFault(`the check broke (${kind})`));
    } catch {
      // Whoever is told must not make a refusal an error.
    }
  }
}

/** The permissions of a question. Throws TypeError where there are none: a route that needs nothing is not guarded. */
export function needing(permissions: readonly Permission[]): Question {
  if (permissions.length === 0 || permissions.some((one) => typeof one !== "string" || !/^\S+:\S+$/.test(one))) {
    throw new TypeError('guard: name the permissions that are needed, as in requires("datasets:read")');
  }
  return { permissions };
}

/** The caller of a yes; null for a public operation, which no key was looked at for. */
function callerOf(verdict: Verdict): Caller | null {
  const { key_id, organization, environment } = verdict;
  if (key_id === null || organization === null || environment === null) return null;
  return {
    keyId: key_id,
    organization,
    environment,
    permissions: verdict.permissions as Permission[],
    expiresAt: verdict.expires_at,
    stale: verdict.stale,
  };
}

function requestIdOf(lines: FieldLines): string {
  const given = lines("x-request-id");
  const own = given.length === 1 ? given[0] : undefined;
  return own !== undefined && REQUEST_ID.test(own)
    ? own
    : `req_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
}
