"""A question about another key, answered from the replica: for services that cannot embed a verifier."""

from fastapi import APIRouter, Request

from scopekey.authority.permissions import known
from scopekey.core.decision import Allowed, Decision, DenialReason, Denied
from scopekey.core.grant import Register
from scopekey.core.key import Key
from scopekey.core.problem import ProblemError
from scopekey.core.rules import METHOD
from scopekey.enforce.fastapi import requires
from scopekey.replica.event import Event
from scopekey.replica.journal import Ticket
from scopekey.replica.verifier import Verifier
from scopekey.server.api.context import node_of, refusals
from scopekey.wire.resources import Verify, VerifyAnswer
from scopekey.wire.times import from_millis

router = APIRouter(prefix="/v1", tags=["Verification"])


@router.post(
    "/verify", dependencies=[requires("scopekey_verifications:write")], responses=refusals("unknown_permission")
)
async def verify(request: Request, body: Verify) -> VerifyAnswer:
    """Tell whether a key may do something: 200 for every well-formed question, whatever the answer is."""
    asking: Event = request.scope["scopekey"]
    verifier = node_of(request).verifier
    event, ticket = _ask(verifier, body, asking.request_id)
    await ticket
    return _answer(event, verifier, asking)


def _ask(verifier: Verifier, body: Verify, request_id: str) -> tuple[Event, Ticket]:
    if body.operation is not None:
        method, _, target = body.operation.partition(" ")
        if not METHOD.fullmatch(method) or not target.isascii():
            raise ProblemError(
                "invalid_request", "`operation` must be METHOD /path, as in GET /datasets/42.", field="operation"
            )
        return verifier.applied.request(
            method, target.encode("ascii"), body.key, address=body.address, request_id=request_id
        )
    names, register = body.permissions or [], verifier.register
    wanted = names if register is None else [str(known(register, name)) for name in names]
    return verifier.ask(body.key, wanted, address=body.address, request_id=request_id)


def _answer(event: Event, verifier: Verifier, asking: Event) -> VerifyAnswer:
    decision = event.decision
    asker = asking.decision.key
    if decision.key is not None and asker is not None and not _may_see(verifier, asker, decision.key):
        # Not yours and not there are the same answer.
        decision = Denied(DenialReason.UNKNOWN_KEY)
    return _told(decision, event.register, event)


def _may_see(verifier: Verifier, asker: Key, key: Key) -> bool:
    if asker.organization == key.organization:
        return True
    organization = verifier.organization(asker.organization)
    return organization is not None and organization.operator


def _told(decision: Decision, register: Register | None, event: Event) -> VerifyAnswer:
    key = decision.key
    live = isinstance(decision, Allowed) or decision.need is not None
    return VerifyAnswer(
        allowed=bool(decision),
        code=None if isinstance(decision, Allowed) else decision.reason.value,
        key_id=decision.key_id,
        organization=key.organization if key else None,
        environment=key.environment if key else None,
        permissions=list(register.names(key.held(event.at))) if key and register and live else [],
        missing=[] if isinstance(decision, Allowed) else [str(permission) for permission in decision.missing],
        expires_at=None if decision.ends is None else from_millis(decision.ends),
        position=event.position,
        stale=event.stale,
    )
