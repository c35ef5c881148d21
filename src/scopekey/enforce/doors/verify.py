"""``POST /v1/verify``: a question about another key, answered from the replica.

For services that cannot hold a verifier themselves. 200 for every well-formed question, whatever the
answer is; another organization's key is as unknown as one that never was, except to the operator.
"""

import msgspec
from pydantic import ValidationError

from scopekey.core.catalog import UnknownPermissionError
from scopekey.core.decision import Allowed, Decision, DenialReason, Denied
from scopekey.core.key import Key
from scopekey.core.problem import PROBLEMS, ProblemError
from scopekey.core.rules import METHOD
from scopekey.enforce.asgi import Receive, Scope, ScopekeyMiddleware, Send, refuse_http
from scopekey.enforce.doors.body import GoneError, read_body
from scopekey.enforce.request import log_fault
from scopekey.enforce.respond import (
    JOURNAL_UNAVAILABLE,
    UNAVAILABLE,
    Refusal,
    expiry,
    refuse_unchecked,
    refuse_with,
)
from scopekey.replica.event import Event
from scopekey.replica.journal import DONE, JournalUnavailableError, Ticket
from scopekey.replica.verifier import Verifier
from scopekey.wire.faults import first_fault, unknown_permission
from scopekey.wire.resources import Verify

PATH = "/v1/verify"
NEEDED = "scopekey_verifications:write"
LIMIT = 1 << 16
"""Bytes of a question: the longest operation and the most permissions that can be asked for fit in."""


class _Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A question in its ordinary form; whatever does not fit is read again by the model that explains itself."""

    key: str
    permissions: tuple[str, ...] | None = None
    operation: str | None = None
    address: str | None = None


class _Answer(msgspec.Struct, frozen=True, gc=False):
    """The members of `wire.resources.VerifyAnswer`, in its order."""

    allowed: bool
    code: str | None
    key_id: str | None
    organization: str | None
    environment: str | None
    permissions: tuple[str, ...]
    missing: list[str]
    expires_at: str | None
    position: int
    age: int | None
    stale: bool


_read = msgspec.json.Decoder(_Question).decode
_write = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_NOTHING: list[str] = []
_KNOWN_AGE = 2**53
_UNKNOWN = Denied(DenialReason.UNKNOWN_KEY)
_LONGEST_KEY, _LONGEST_ADDRESS, _LONGEST_OPERATION = 500, 50, 9_000


class VerifyDoor:
    """Answers whoever the guard lets through. It calls the guard itself: a wrapper around each answer costs a fifth."""

    def __init__(self, guard: ScopekeyMiddleware) -> None:
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        outcome = await self._guard.decide(scope)
        if isinstance(outcome, Refusal):
            await refuse_http(outcome, scope, receive, send)
            return
        asking, own = outcome
        try:
            body = await read_body(receive, LIMIT)
            verifier = self._guard.keys.verifier
            event, ticket = _ask(verifier, body, asking.request_id)
            if ticket is not DONE:
                await ticket
            answer = _told(_seen(event.decision, asking.decision.key, verifier), event)
            length = (b"content-length", b"%d" % len(answer))
            headers = [_JSON, length, (b"x-request-id", asking.request_id.encode()), *own]
        except GoneError:
            return
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is no
            refusal = _refusal(error, asking.request_id)
            refusal = msgspec.structs.replace(refusal, headers=refusal.headers + own)
            await refuse_http(refusal, scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def _ask(verifier: Verifier, body: bytes | None, request_id: str) -> tuple[Event, Ticket]:
    if body is None:
        raise ProblemError("too_large", PROBLEMS["too_large"].detail)
    try:
        question = _read(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _explained(body) from None
    names, operation = question.permissions, question.operation
    if (
        (names is None) == (operation is None)
        or not 0 < len(question.key) <= _LONGEST_KEY
        or len(question.address or "") > _LONGEST_ADDRESS
    ):
        raise _explained(body)
    if operation is not None:
        return _ask_operation(verifier, question, operation, request_id)
    try:
        return verifier.ask(question.key, names or (), address=question.address, request_id=request_id)
    except UnknownPermissionError as error:
        raise _explained(body, unknown_permission(error)) from None


def _ask_operation(verifier: Verifier, question: _Question, operation: str, request_id: str) -> tuple[Event, Ticket]:
    method, _, target = operation.partition(" ")
    if not METHOD.fullmatch(method) or not target.isascii() or len(operation) > _LONGEST_OPERATION:
        raise ProblemError(
            "invalid_request", "`operation` must be METHOD /path, as in GET /datasets/42.", field="operation"
        )
    return verifier.applied.request(
        method, target.encode("ascii"), question.key, address=question.address, request_id=request_id
    )


def _explained(body: bytes, otherwise: ProblemError | None = None) -> ProblemError:
    """Say what is wrong with a question, in the words that every body of the API is judged with."""
    try:
        Verify.model_validate_json(body)
    except ValidationError as error:
        field, detail = first_fault(error.errors(include_url=False, include_input=False, include_context=False))
        return ProblemError("invalid_request", detail, field=field)
    except (ValueError, RecursionError):
        pass
    return otherwise or ProblemError("invalid_request", "The body cannot be read. Send JSON in UTF-8.")


def _seen(decision: Decision, asker: Key | None, verifier: Verifier) -> Decision:
    """Not yours and not there are the same answer."""
    key = decision.key
    if key is None or (asker is not None and asker.organization == key.organization):
        return decision
    organization = verifier.organization(asker.organization) if asker is not None else None
    return decision if organization is not None and organization.operator else _UNKNOWN


def _told(decision: Decision, event: Event) -> bytes:
    key, register = decision.key, event.register
    allowed = isinstance(decision, Allowed)
    live = key is not None and register is not None and (allowed or decision.need is not None)
    return _write(
        _Answer(
            allowed,
            None if isinstance(decision, Allowed) else decision.reason.value,
            key.id if key else None,
            key.organization if key else None,
            key.environment if key else None,
            register.names(key.held(event.at)) if live and key and register else (),
            _NOTHING if isinstance(decision, Allowed) else [str(permission) for permission in decision.missing],
            None if decision.ends is None else expiry(decision.ends),
            event.position,
            event.age if event.age < _KNOWN_AGE else None,
            event.stale,
        )
    )


def _refusal(error: Exception, request_id: str) -> Refusal:
    if isinstance(error, ProblemError):
        return refuse_with(error.problem, error.detail, request_id, **error.fields)
    if isinstance(error, JournalUnavailableError):
        return refuse_unchecked(JOURNAL_UNAVAILABLE, request_id)
    log_fault(error, request_id)
    return refuse_unchecked(UNAVAILABLE, request_id)
