// What is the same in every framework: a request is asked about once, and is let through for a plain yes alone.

import type { Permission } from "../permissions.js";
import { kindOf } from "../sending.js";
import { ask, type Question, type Verdict } from "./ask.js";
import { type FieldLines, sentKey } from "./credential.js";
import { GuardFault, type GuardOptions, type Settled, settle } from "./options.js";
import { type Refusal, refuse, refuseUnasked, refuseUnchecked, told } from "./respond.js";

/** Who calls, for the handler. */
export interface Caller {
  readonly keyId: string;
  readonly organization: string;
  readonly environment: string;
  /** What the key holds. */
  readonly permissions: readonly Permission[];
  /** What it lacks of what was asked, where the gateway let it through all the same; else empty. */
  readonly missing: readonly Permission[];
  /** RFC 3339; null where the key does not end. */
  readonly expiresAt: string | null;
  /** Whether the gateway has not heard of changes for longer than it should have. */
  readonly stale: boolean;
}

/** A request is let through, with header fields for its answer; the caller is null for an operation that is public. */
export type Outcome =
  | { readonly allowed: true; readonly caller: Caller | null; readonly headers: Readonly<Record<string, string>> }
  | { readonly allowed: false; readonly refusal: Refusal };

/** What a framework's adapter takes from a request. All of it may throw: then the request is refused. */
export interface Asking {
  readonly lines: FieldLines;
  /** The caller's address, where it is known. */
  readonly address: () => string | undefined;
  readonly question: () => Question;
}

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
const OPERATION = /^[A-Z][A-Z0-9-]{0,31} [\x21-\x7e]+$/;
const PERMISSION = /^[!-+\--~]+:[!-+\--~]+$/;
const LONGEST_OPERATION = 9_000;

/** Decides requests of one application. */
export class Guard<Request> {
  readonly #settled: Settled;

  /** Throws TypeError for options that cannot be worked with. */
  constructor(options: GuardOptions<Request>) {
    this.#settled = settle(options);
  }

  /** Decide one request. Never throws: a fault is a refusal. */
  async decide(asking: Asking): Promise<Outcome> {
    let requestId = newRequestId();
    try {
      requestId = ownRequestId(asking.lines) ?? requestId;
      return await this.#decide(asking, requestId);
    } catch (error) {
      this.#tell(error);
      return { allowed: false, refusal: refuseUnchecked(requestId) };
    }
  }

  async #decide(asking: Asking, requestId: string): Promise<Outcome> {
    const question = asking.question();
    if ("operation" in question && !isOperation(question.operation)) {
      return { allowed: false, refusal: refuseUnasked("unreadable_target", requestId) };
    }
    const credential = sentKey(asking.lines);
    if ("absent" in credential) return { allowed: false, refusal: refuseUnasked(credential.absent, requestId) };
    const verdict = await ask(this.#settled, credential.key, question, asking.address(), requestId);
    if (verdict.allowed === true) {
      return { allowed: true, caller: callerOf(verdict, question), headers: told(verdict, question) };
    }
    const { missingPermissionStatus } = this.#settled;
    return { allowed: false, refusal: refuse(verdict, question, requestId, missingPermissionStatus) };
  }

  #tell(error: unknown): void {
    const fault = error instanceof GuardFault ? error : new GuardFault(`the check broke (${kindOf(error)})`);
    // Whoever is told must not make a refusal an error, at once or later.
    new Promise((told) => told(this.#settled.onFault(fault))).catch(() => undefined);
  }
}

/** The permissions of a question. Throws TypeError where there are none: a route that needs nothing is not guarded. */
export function needing(permissions: readonly Permission[]): Question {
  if (permissions.length === 0 || permissions.some((one) => typeof one !== "string" || !PERMISSION.test(one))) {
    throw new TypeError('guard: name the permissions that are needed, as in requires("datasets:read")');
  }
  return { permissions };
}

/** The question about a method and the target as it was sent. The query stays here: no rule looks at it. */
export function operation(method: string | undefined, target: string | undefined): Question {
  return { operation: `${method ?? ""} ${(target ?? "").replace(/\?.*/s, "")}` };
}

/** The caller of a yes; null for a public operation, which no key was looked at for. Throws GuardFault. */
function callerOf(verdict: Verdict, question: Question): Caller | null {
  const { key_id, organization, environment } = verdict;
  if (key_id === null && "operation" in question) return null;
  if (key_id === null || organization === null || environment === null) {
    throw new GuardFault("a yes that does not say whose it is was given");
  }
  return {
    keyId: key_id,
    organization,
    environment,
    permissions: verdict.permissions as Permission[],
    missing: verdict.missing as Permission[],
    expiresAt: verdict.expires_at,
    stale: verdict.stale,
  };
}

function isOperation(text: string): boolean {
  return text.length <= LONGEST_OPERATION && OPERATION.test(text);
}

function ownRequestId(lines: FieldLines): string | undefined {
  const given = lines("x-request-id");
  const own = given.length === 1 ? given[0] : undefined;
  return own !== undefined && REQUEST_ID.test(own) ? own : undefined;
}

function newRequestId(): string {
  return `req_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
}
