// Generated from src/scopekey/core/problem.py by `make docs`. Change it there.

/** One kind of refusal: what happened, what it means and what to do; `error` is for the challenge of RFC 6750. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly action: string;
  readonly error?: "invalid_request" | "invalid_token" | "insufficient_scope";
  readonly challenge: boolean;
}

/** Every problem by its code. Codes are public and never reused. */
export const PROBLEMS = {
  unreadable_target: {
    status: 400,
    title: "Unreadable target",
    meaning: "The path could be read in more than one way, so it is not decided on.",
    action: "Send the plain path, percent-encoded once, without dot segments, empty segments or semicolons.",
    challenge: false,
  },
  no_credential: {
    status: 401,
    title: "No key",
    meaning: "The call carries no API key.",
    action: "Send one as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.",
    challenge: true,
  },
  ambiguous_credential: {
    status: 400,
    title: "More than one key",
    meaning: "The call carries more than one credential.",
    action: "Send exactly one, in one header.",
    error: "invalid_request",
    challenge: true,
  },
  malformed_key: {
    status: 401,
    title: "Malformed key",
    meaning: "The credential does not have the form of a key of this platform.",
    action: "Check that the whole key was sent, or ask for a new one.",
    error: "invalid_token",
    challenge: true,
  },
  stale_replica: {
    status: 503,
    title: "Key data out of date",
    meaning: "This node has not heard of changes for too long to answer safely.",
    action: "Try again shortly.",
    challenge: false,
  },
  unknown_key: {
    status: 401,
    title: "Unknown key",
    meaning: "The key is not one that can be used here.",
    action: "Check that the whole key was sent, or ask for a new one.",
    error: "invalid_token",
    challenge: true,
  },
  revoked_key: {
    status: 401,
    title: "Revoked key",
    meaning: "The key was revoked, which is final.",
    action: "Use another key, or ask for a new one.",
    error: "invalid_token",
    challenge: true,
  },
  expired_key: {
    status: 401,
    title: "Expired key",
    meaning: "The key, or the secret that was sent, has ended.",
    action: "Use the rotated secret, or ask for a new key.",
    error: "invalid_token",
    challenge: true,
  },
  address_not_allowed: {
    status: 401,
    title: "Address not allowed",
    meaning: "The key may not be used from this address.",
    action: "Call from an allowed network, or ask for this one to be added.",
    error: "invalid_token",
    challenge: true,
  },
  unlisted_operation: {
    status: 401,
    title: "Unlisted operation",
    meaning: "No rule lists this operation, so no key opens it.",
    action: "Check the method and the path.",
    error: "insufficient_scope",
    challenge: true,
  },
  missing_permission: {
    status: 401,
    title: "Missing permission",
    meaning: "The key does not hold a permission that this operation needs.",
    action: "Ask for it to be added, or use another key.",
    error: "insufficient_scope",
    challenge: true,
  },
  journal_unavailable: {
    status: 503,
    title: "Decision cannot be recorded",
    meaning: "Decisions must be recorded before they are answered, and that is not possible now.",
    action: "Try again shortly.",
    challenge: false,
  },
  untrusted_proxy: {
    status: 403,
    title: "Not a trusted proxy",
    meaning: "Only proxies that this node trusts may ask here about requests they hold.",
    action: "Name the proxy's address in TRUSTED_PROXIES, or let it ask over a Unix socket.",
    challenge: false,
  },
  invalid_request: {
    status: 422,
    title: "Invalid request",
    meaning: "A field of the request is not what it must be.",
    action: "Mend the field that is named, and send it again.",
    challenge: false,
  },
  unknown_permission: {
    status: 400,
    title: "Unknown permission",
    meaning: "The catalog has no such permission.",
    action: "Use a name from GET /v1/permissions.",
    challenge: false,
  },
  exceeds_caller: {
    status: 403,
    title: "More than the caller holds",
    meaning: "A key can grant only what it holds itself.",
    action: "Ask somebody whose key covers it.",
    challenge: false,
  },
  not_found: {
    status: 404,
    title: "Not found",
    meaning: "There is no such thing here.",
    action: "Check the id and the organization.",
    challenge: false,
  },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed",
    meaning: "This path does not offer that method.",
    action: "Use one of those named in `Allow`.",
    challenge: false,
  },
  conflict: {
    status: 409,
    title: "Conflict",
    meaning: "The request contradicts the present state.",
    action: "Look at the present state, and decide again.",
    challenge: false,
  },
  snapshot_needed: {
    status: 410,
    title: "Place not kept",
    meaning: "What followed this place is not kept here, or it is a place of another history.",
    action: "Take a snapshot from GET /v1/snapshot, and follow from its place.",
    challenge: false,
  },
  rotation_in_progress: {
    status: 409,
    title: "Rotation in progress",
    meaning: "Two secrets of this key are live already.",
    action: "Wait for the overlap to end, or say which one to replace.",
    challenge: false,
  },
  version_conflict: {
    status: 412,
    title: "Changed in between",
    meaning: "The thing was changed since it was read.",
    action: "Read it again, and send the change with its new version.",
    challenge: false,
  },
  too_large: {
    status: 413,
    title: "Too large",
    meaning: "The body is larger than is read here.",
    action: "Send less.",
    challenge: false,
  },
  rate_limited: {
    status: 429,
    title: "Too many requests",
    meaning: "Calls come faster than is served.",
    action: "Wait, then try again.",
    challenge: false,
  },
  unavailable: {
    status: 503,
    title: "Unavailable",
    meaning: "The store cannot be reached or written now; nothing was changed.",
    action: "Try again shortly.",
    challenge: false,
  },
} as const satisfies Record<string, ProblemKind>;

/** The code of a problem. */
export type ProblemCode = keyof typeof PROBLEMS;
