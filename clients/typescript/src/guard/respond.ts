// What a caller is told: the refusals of a door of Scopekey, as any guarded application answers them (RFC 9457, RFC 6750).

import { PROBLEMS, type ProblemCode, type ProblemKind } from "../generated/problems.js";
import type { Question, Verdict } from "./ask.js";

/** A refusal, ready to be sent in any framework. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const RETRY_AFTER = "5";
const NOT_CHECKED = "The call could not be checked, so it was not let through. Try again shortly.";
const LIVE = new Set(["missing_permission", "unlisted_operation"]);
const KNOWS_ITS_ID = new Set(["missing_permission", "unlisted_operation", "revoked_key", "expired_key"]);

/** Refuse for what the gateway said about a key. */
export function refuse(
  verdict: Verdict,
  question: Question,
  requestId: string,
  missingPermissionStatus: 401 | 403,
): Refusal {
  const code = verdict.code ?? "";
  if (!isProblem(code)) return refuseUnchecked(requestId);
  const kind: ProblemKind = PROBLEMS[code];
  const live = LIVE.has(code);
  const status = code === "missing_permission" ? missingPermissionStatus : kind.status;
  const members = {
    ...(KNOWS_ITS_ID.has(code) && verdict.key_id !== null ? { key_id: verdict.key_id } : {}),
    ...(live ? asked(question) : {}),
    ...(live ? { missing: verdict.missing } : {}),
  };
  const detail = code === "missing_permission" ? lacking(verdict.missing, kind) : `${kind.meaning} ${kind.action}`;
  return refusal(code, status, detail, requestId, members, live ? told(verdict, question) : {});
}

/** Refuse a caller without one key, whom the gateway need not be asked about. */
export function refuseCredential(kind: "absent" | "ambiguous", requestId: string): Refusal {
  const code = kind === "absent" ? "no_credential" : "ambiguous_credential";
  const problem = PROBLEMS[code];
  return refusal(code, problem.status, `${problem.meaning} ${problem.action}`, requestId, {}, {});
}

/** Refuse a call that could not be checked: nothing is said about its caller. */
export function refuseUnchecked(requestId: string): Refusal {
  return refusal("unavailable", 503, NOT_CHECKED, requestId, {}, {});
}

/** The header fields that a live key gets, allowed or refused. */
export function told(verdict: Verdict, question: Question): Record<string, string> {
  return {
    ...("permissions" in question ? { "scopekey-requires": question.permissions.join(", ") } : {}),
    ...(verdict.expires_at === null ? {} : { "scopekey-key-expires": verdict.expires_at }),
    ...(verdict.missing.length === 0 ? {} : { "scopekey-missing": verdict.missing.join(", ") }),
  };
}

function refusal(
  code: ProblemCode,
  status: number,
  detail: string,
  requestId: string,
  members: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, string>>,
): Refusal {
  const kind: ProblemKind = PROBLEMS[code];
  const document = {
    type: `urn:scopekey:problem:${code}`,
    title: kind.title,
    status,
    detail,
    code,
    request_id: requestId,
    ...members,
  };
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "scopekey-code": code,
      "x-request-id": requestId,
      ...(status === 503 ? { "retry-after": RETRY_AFTER } : {}),
      ...(kind.challenge ? { "www-authenticate": challenge(kind, members.required) } : {}),
      ...fields,
    },
    body: JSON.stringify(document),
  };
}

// RFC 6750 section 3: without a credential it names no error; the scope is what the operation needs.
function challenge(kind: ProblemKind, required: unknown): string {
  const error = kind.error === undefined ? "" : `, error="${kind.error}"`;
  const names: unknown = Array.isArray(required) ? required[0] : undefined;
  const scope = Array.isArray(names) && kind === PROBLEMS.missing_permission ? `, scope="${names.join(" ")}"` : "";
  return `Bearer realm="scopekey"${error}${scope}`;
}

function asked(question: Question): Readonly<Record<string, unknown>> {
  return "permissions" in question ? { required: [question.permissions] } : { operation: question.operation };
}

function lacking(missing: readonly string[], kind: ProblemKind): string {
  if (missing.length === 0) return "The rule of this operation opens it to no key. Ask whoever keeps the rules.";
  const needed = missing.length === 1 ? missing[0] : `${missing.slice(0, -1).join(", ")} and ${missing.at(-1)}`;
  return `This call needs ${needed}; the key does not hold ${missing.length === 1 ? "it" : "them"}. ${kind.action}`;
}

function isProblem(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}
