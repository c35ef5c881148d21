"""From an event to what the caller is told: status, headers and body of a refusal, headers of an answer.

A caller without a genuine key is told the code and nothing else; a revoked or expired key is told
that, and its id; a live key is told everything that helps its owner.
"""

from functools import lru_cache

import msgspec

from scopekey.core.decision import Allowed, DenialReason, Denied
from scopekey.core.grant import Register
from scopekey.core.permission import Permission
from scopekey.core.problem import PROBLEMS, Problem
from scopekey.core.requirement import Need
from scopekey.replica.event import Event
from scopekey.wire.problems import CONTENT_TYPE, problem_document
from scopekey.wire.times import rfc3339

Headers = list[tuple[bytes, bytes]]

REALM = "scopekey"
RETRY_AFTER = b"5"
"""Seconds after which a 503 is worth another try: the staleness that is tolerated by default."""

JOURNAL_UNAVAILABLE = PROBLEMS[DenialReason.JOURNAL_UNAVAILABLE]
UNAVAILABLE = msgspec.structs.replace(
    PROBLEMS["unavailable"],
    meaning="The call could not be checked, so it was not let through.",
)
"""The refusal for a fault inside the check: nothing fails open."""

_TOLD = frozenset({DenialReason.UNLISTED_OPERATION, DenialReason.MISSING_PERMISSION})
_CONTENT_TYPE = CONTENT_TYPE.encode()


class Refusal(msgspec.Struct, frozen=True):
    """A refusal, ready to be sent; header names are lower-case."""

    status: int
    headers: Headers
    body: bytes


def is_live(event: Event) -> bool:
    """Tell whether the caller holds a live key: genuine, not revoked, not expired, from an allowed address."""
    decision = event.decision
    return decision.key is not None and (isinstance(decision, Allowed) or decision.reason in _TOLD)


def refuse(event: Event, *, realm: str = REALM, missing_permission_status: int = 401) -> Refusal:
    """Turn a denial into its refusal, as the contract's table has it.

    `missing_permission_status` is 401, or 403 for platforms that follow RFC 6750 to the letter. Raises
    ValueError for an event whose decision is not a denial.
    """
    decision = event.decision
    if isinstance(decision, Allowed):
        raise ValueError("an allowed request has no refusal")  # noqa: TRY004 - the type is right, the decision is not
    problem = PROBLEMS[decision.reason]
    missing = decision.reason is DenialReason.MISSING_PERMISSION
    status = missing_permission_status if missing else problem.status
    live = is_live(event)
    body = problem_document(
        problem,
        detail=_detail(problem, decision, event.register),
        request_id=event.request_id,
        status=status,
        key_id=decision.key_id,
        operation=event.operation if live else None,
        required=(decision.need.requirement.names() if decision.need else []) if live else None,
        missing=[str(permission) for permission in decision.missing] if live else None,
    )
    headers = _common(problem, len(body), event.request_id)
    if problem.challenge:
        scope = _scope(event, decision) if missing else ""
        headers.append((b"www-authenticate", _challenge(realm, problem.error, scope)))
    return Refusal(status, headers + told(event), body)


def refuse_unchecked(problem: Problem, request_id: str) -> Refusal:
    """Refuse a call that could not be checked or recorded: 503, and nothing about its caller."""
    return refuse_with(problem, problem.detail, request_id)


def refuse_with(problem: Problem, detail: str, request_id: str, **fields: object) -> Refusal:
    """Refuse a call for what it asks, whoever asks it; `detail` says what is wrong and what to do."""
    body = problem_document(problem, detail=detail, request_id=request_id, status=problem.status, **fields)
    return Refusal(problem.status, _common(problem, len(body), request_id), body)


def told(event: Event) -> Headers:
    """The headers that a live key gets, allowed or refused; nobody else gets any.

    A refusal, forgiven or not, adds what is missing. A key that never ends has no `Scopekey-Key-Expires`.
    """
    if not is_live(event):
        return []
    decision = event.decision
    headers: Headers = []
    if decision.need is not None:
        headers.append((b"scopekey-requires", decision.need.words.encode()))
    if decision.ends is not None:
        headers.append((b"scopekey-key-expires", expiry(decision.ends).encode()))
    if isinstance(decision, Denied) and decision.missing:
        headers.append((b"scopekey-missing", ", ".join(map(str, decision.missing)).encode()))
    return headers


@lru_cache(maxsize=4096)
def expiry(at: int) -> str:
    """When a key ends, as it is told: RFC 3339. Many keys end at the same moment, and each is told often."""
    return rfc3339(at)


def _common(problem: Problem, length: int, request_id: str) -> Headers:
    headers = [
        (b"content-type", _CONTENT_TYPE),
        (b"content-length", str(length).encode()),
        (b"cache-control", b"no-store"),
        (b"scopekey-code", problem.code.encode()),
        (b"x-request-id", request_id.encode("latin-1", "replace")),
    ]
    if problem.status == 503:  # noqa: PLR2004 - Service Unavailable
        headers.append((b"retry-after", RETRY_AFTER))
    return headers


def _challenge(realm: str, error: str | None, scope: str) -> bytes:
    """Write the challenge of RFC 6750 section 3; without a credential it names no error."""
    parts = [f'realm="{realm}"']
    if error:
        parts.append(f'error="{error}"')
    if scope:
        parts.append(f'scope="{scope}"')
    return ("Bearer " + ", ".join(parts)).encode("latin-1", "replace")


def _scope(event: Event, denied: Denied) -> str:
    """All permissions of the alternative that the key is nearest to."""
    need, key, register = denied.need, denied.key, event.register
    if need is None or key is None or register is None or not need.masks:
        return ""
    held = register.effective(key.held(event.at))
    return " ".join(map(str, need.requirement.any_of[_nearest(need, held)]))


def _nearest(need: Need, held: int) -> int:
    return min(range(len(need.masks)), key=lambda at: (need.masks[at] & ~held).bit_count())


def _detail(problem: Problem, denied: Denied, register: Register | None) -> str:
    if denied.reason is DenialReason.MISSING_PERMISSION:
        return _missing(problem, denied.missing, register)
    if denied.detail:
        said = denied.detail[0].upper() + denied.detail[1:].removesuffix(".")
        return f"{problem.meaning} {said}. {problem.action}"
    return problem.detail


def _missing(problem: Problem, missing: tuple[Permission, ...], register: Register | None) -> str:
    if not missing or register is None:
        return "The rule of this operation opens it to no key. Ask whoever keeps the rules."
    names = [f"{register.catalog.title(permission)} ({permission})" for permission in missing]
    needed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"This call needs {needed}; the key does not hold {'it' if len(names) == 1 else 'them'}. {problem.action}"
