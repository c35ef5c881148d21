"""The closed list of problems, and the document each becomes (RFC 9457).

Codes are public and never reused. Each entry says what happened, what it means, and what to do.
"""

import msgspec

from scopekey.core.decision import DenialReason

TYPE_BASE = "urn:scopekey:problem:"


class Problem(msgspec.Struct, frozen=True):
    """One kind of refusal. `error` is the code of the WWW-Authenticate challenge (RFC 6750 section 3.1)."""

    code: str
    status: int
    title: str
    meaning: str
    action: str
    error: str | None = None
    challenge: bool = False

    @property
    def type(self) -> str:
        """The URI that names this kind of problem."""
        return TYPE_BASE + self.code

    @property
    def detail(self) -> str:
        """What it means and what to do, in two sentences."""
        return f"{self.meaning} {self.action}"


_INVALID = "invalid_token"
_SCOPE = "insufficient_scope"
_UNKNOWN = "The key is not one that can be used here."
_CHECK_KEY = "Check that the whole key was sent, or ask for a new one."

PROBLEMS: dict[str, Problem] = {
    problem.code: problem
    for problem in (
        Problem(
            DenialReason.UNREADABLE_TARGET, 400, "Unreadable target",
            "The path could be read in more than one way, so it is not decided on.",
            "Send the plain path, percent-encoded once, without dot segments, empty segments or semicolons.",
        ),
        Problem(
            DenialReason.NO_CREDENTIAL, 401, "No key",
            "The call carries no API key.",
            "Send one as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.",
            challenge=True,
        ),
        Problem(
            DenialReason.AMBIGUOUS_CREDENTIAL, 400, "More than one key",
            "The call carries more than one credential.",
            "Send exactly one, in one header.",
            "invalid_request", challenge=True,
        ),
        Problem(
            DenialReason.MALFORMED_KEY, 401, "Malformed key",
            "The credential does not have the form of a key of this platform.", _CHECK_KEY,
            _INVALID, challenge=True,
        ),
        Problem(
            DenialReason.STALE_REPLICA, 503, "Key data out of date",
            "This node has not heard of changes for too long to answer safely.", "Try again shortly.",
        ),
        Problem(DenialReason.UNKNOWN_KEY, 401, "Unknown key", _UNKNOWN, _CHECK_KEY, _INVALID, challenge=True),
        Problem(
            DenialReason.REVOKED_KEY, 401, "Revoked key",
            "The key was revoked, which is final.", "Use another key, or ask for a new one.",
            _INVALID, challenge=True,
        ),
        Problem(
            DenialReason.EXPIRED_KEY, 401, "Expired key",
            "The key, or the secret that was sent, has ended.", "Use the rotated secret, or ask for a new key.",
            _INVALID, challenge=True,
        ),
        Problem(
            DenialReason.ADDRESS_NOT_ALLOWED, 401, "Address not allowed",
            "The key may not be used from this address.",
            "Call from an allowed network, or ask for this one to be added.",
            _INVALID, challenge=True,
        ),
        Problem(
            DenialReason.UNLISTED_OPERATION, 401, "Unlisted operation",
            "No rule lists this operation, so no key opens it.", "Check the method and the path.",
            _SCOPE, challenge=True,
        ),
        Problem(
            DenialReason.MISSING_PERMISSION, 401, "Missing permission",
            "The key does not hold a permission that this operation needs.",
            "Ask for it to be added, or use another key.",
            _SCOPE, challenge=True,
        ),
        Problem(
            DenialReason.JOURNAL_UNAVAILABLE, 503, "Decision cannot be recorded",
            "Decisions must be recorded before they are answered, and that is not possible now.", "Try again shortly.",
        ),
        Problem(
            "untrusted_proxy", 403, "Not a trusted proxy",
            "Only proxies that this node trusts may ask here about requests they hold.",
            "Name the proxy's address in TRUSTED_PROXIES, or let it ask over a Unix socket.",
        ),
        Problem(
            "invalid_request", 422, "Invalid request",
            "A field of the request is not what it must be.", "Mend the field that is named, and send it again.",
        ),
        Problem(
            "unknown_permission", 400, "Unknown permission",
            "The catalog has no such permission.", "Use a name from GET /v1/permissions.",
        ),
        Problem(
            "exceeds_caller", 403, "More than the caller holds",
            "A key can grant only what it holds itself.", "Ask somebody whose key covers it.",
        ),
        Problem(
            "not_found", 404, "Not found",
            "There is no such thing here.", "Check the id and the organization.",
        ),
        Problem(
            "method_not_allowed", 405, "Method not allowed",
            "This path does not offer that method.", "Use one of those named in `Allow`.",
        ),
        Problem(
            "conflict", 409, "Conflict",
            "The request contradicts the present state.", "Look at the present state, and decide again.",
        ),
        Problem(
            "snapshot_needed", 410, "Place not kept",
            "What followed this place is not kept here, or it is a place of another history.",
            "Take a snapshot from GET /v1/snapshot, and follow from its place.",
        ),
        Problem(
            "rotation_in_progress", 409, "Rotation in progress",
            "Two secrets of this key are live already.", "Wait for the overlap to end, or say which one to replace.",
        ),
        Problem(
            "version_conflict", 412, "Changed in between",
            "The thing was changed since it was read.", "Read it again, and send the change with its new version.",
        ),
        Problem("too_large", 413, "Too large", "The body is larger than is read here.", "Send less."),
        Problem("rate_limited", 429, "Too many requests", "Calls come faster than is served.", "Wait, then try again."),
        Problem(
            "unavailable", 503, "Unavailable",
            "The store cannot be reached or written now; nothing was changed.", "Try again shortly.",
        ),
    )
}  # fmt: skip
"""Every problem by its code."""


class ProblemError(Exception):
    """A management operation that is refused: which problem, and what exactly.

    `fields` are further members of the document; nothing secret may be among them.
    """

    def __init__(self, code: str, detail: str, **fields: object) -> None:
        super().__init__(detail)
        self.problem: Problem = PROBLEMS[code]
        self.detail = detail
        self.fields = fields


def document(problem: Problem, *, detail: str, request_id: str, status: int | None = None) -> dict[str, object]:
    """The members every problem document has, in the order people read them."""
    return {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status if status is None else status,
        "detail": detail,
        "code": problem.code,
        "request_id": request_id,
    }
