// What a caller is told: the refusals of a door of Scopekey, as any guarded application answers them (RFC 9457, RFC 6750).

import { PROBLEMS, type ProblemCode, type ProblemKind } from "../generated/problems.js";
import type { Question, Verdict } from "./ask.js";
import type { Absent } from "./credential.js";
import { GuardFault } from "./options.js";

/** A refusal, ready to be sent in any framework. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const RETRY_AFTER = "5";
const NOT_CHECKED = "The call could not be checked, so it was not let through. Try again shortly.";
// The refusals of a key that a gateway decides on, and what each tells: all, the key's id, or nothing about the key.
const TOLD = {
  missing_permission: "all",
  unlisted_operation: "all",
  revoked_key: "id",
  expired_key: "id",
  address_not_allowed: "nothing",
  malformed_key: "nothing",
  unknown_key: "nothing",
  unreadable_target: "nothing",
  stale_replica: "nothing",
} as const satisfies Partial<Record<ProblemCode, string>>;

/** Refuse for what the gateway said about a key. Throws GuardFault for a reason that is none of a decision. */
export function refuse(
  verdict: Verdict,
  question: Question,
  requestId: string,
  missingPermissionStatus: 401 | 403,
): Refusal {
  const { code, key_id, missing } = verdict;
  if (!isDecision(code)) throw new GuardFault(`a refusal for an unknown reason was given (${code})`);
  const kind: ProblemKind = PROBLEMS[code];
  const live = TOLD[code] === "all";
  const lacks = code === "missing_permission";
  const members = {
    ...(TOLD[code] !== "nothing" && key_id !== null ? { key_id } : {}),
    ...(live && "permissions" in question ? { required: [question.permissions] } : {}),
    ...(live ? { missing } : {}),
  };
  return refusal(code, {
    status: lacks ? missingPermissionStatus : kind.status,
    detail: lacks ? lacking(missing, kind) : plain(kind),
    requestId,
    members,
    fields: live ? told(verdict, question) : {},
    scope: lacks && "permissions" in question ? question.permissions : [],
  });
}

/** Refuse what the gateway need not be asked about: no key, or a target that no rule can list. */
export function refuseUnasked(code: Absent | "unreadable_target", requestId: string): Refusal {
  const kind: ProblemKind = PROBLEMS[code];
  return refusal(code, { status: kind.status, detail: plain(kind), requestId });
}

/** Refuse a call that could not be checked: nothing is said about its caller. */
export function refuseUnchecked(requestId: string): Refusal {
  return refusal("unavailable", { status: 503, detail: NOT_CHECKED, requestId });
}

/** The header fields that a live key gets, allowed or refused. */
export function told(verdict: Verdict, question: Question): Record<string, string> {
  return {
    ...("permissions" in question ? { "scopekey-requires": question.permissions.join(", ") } : {}),
    ...(verdict.expires_at === null ? {} : { "scopekey-key-expires": verdict.expires_at }),
    ...(verdict.missing.length === 0 ? {} : { "scopekey-missing": verdict.missing.join(", ") }),
  };
}

interface Saying {
  readonly status: number;
  readonly detail: string;
  readonly requestId: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly fields?: Readonly<Record<string, string>>;
  readonly scope?: readonly string[];
}

function refusal(code: ProblemCode, saying: Saying): Refusal {
  const { status, detail, requestId, members, fields, scope = [] } = saying;
  const kind: ProblemKind = PROBLEMS[code];
  const type = `urn:scopekey:problem:${code}`;
  const document = { type, title: kind.title, status, detail, code, request_id: requestId, ...members };
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "scopekey-code": code,
      "x-request-id": requestId,
      ...(status === 503 ? { "retry-after": RETRY_AFTER } : {}),
      ...(kind.challenge ? { "www-authenticate": challenge(kind, scope) } : {}),
      ...fields,
    },
    body: JSON.stringify(document),
  };
}

// RFC 6750 section 3: without a credential it names no error; the scope is what the operation needs.
function challenge(kind: ProblemKind, scope: readonly string[]): string {
  const error = kind.error === undefined ? "" : `, error="${kind.error}"`;
  return `Bearer realm="scopekey"${error}${scope.length === 0 ? "" : `, scope="${scope.join(" ")}"`}`;
}

function plain(kind: ProblemKind): string {
  return `${kind.meaning} ${kind.action}`;
}

function lacking(missing: readonly string[], kind: ProblemKind): string {
  if (missing.length === 0) return "The rule of this operation opens it to no key. Ask whoever keeps the rules.";
  const needed = missing.length === 1 ? missing[0] : `${missing.slice(0, -1).join(", ")} and ${missing.at(-1)}`;
  return `This call needs ${needed}; the key does not hold ${missing.length === 1 ? "it" : "them"}. ${kind.action}`;
}

function isDecision(code: string | null): code is keyof typeof TOLD {
  return code !== null && Object.hasOwn(TOLD, code);
}
