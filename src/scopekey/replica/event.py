"""What happened at one request: the decision and everything around it. The journal keeps these."""

import msgspec

from scopekey.audit.entry import NONCE_SIZE, Entry, Who
from scopekey.core.decision import Allowed, Decision, DenialReason
from scopekey.core.grant import Register
from scopekey.core.matcher import Match


class Event(msgspec.Struct, frozen=True, gc=False):
    """One request as it was decided. `proceeds` is what an adapter acts on.

    `position` and `age` are those of the replica it was decided on; `age` is in milliseconds.
    """

    decision: Decision
    at: int
    request_id: str
    register: Register | None
    match: Match | None = None
    operation: str | None = None
    object: str | None = None
    address: str | None = None
    position: int = 0
    age: int = 0
    stale: bool = False

    @property
    def reported(self) -> bool:
        """Tell whether a missing permission was forgiven because its rule only reports."""
        return (
            self.match is not None
            and self.match.report
            and not self.decision
            and self.decision.reason is DenialReason.MISSING_PERMISSION
        )

    @property
    def proceeds(self) -> bool:
        """Tell whether the request goes on: allowed, or forgiven."""
        return bool(self.decision) or self.reported

    @property
    def genuine(self) -> bool:
        """Tell whether a key's secret matched: only these are recorded one by one."""
        return self.decision.key is not None


def entry_of(event: Event, nonce: bytes) -> Entry:
    """Write an event as the audit entry it will be. `nonce` is 16 random bytes."""
    if len(nonce) != NONCE_SIZE:
        raise ValueError(f"a nonce is exactly {NONCE_SIZE} bytes")
    decision, register = event.decision, event.register
    key = decision.key
    # A key that was refused before its permissions were looked at still meant to do something.
    need = decision.need or (event.match.need if event.match else None)
    used = decision.used if isinstance(decision, Allowed) else None
    return Entry(
        nonce=nonce.hex(),
        at=event.at,
        kind="decision",
        actor=Who("key", key.id, key.organization) if key else None,
        organization=key.organization if key else None,
        key=key.id if key else None,
        secret=decision.secret.number if decision.secret else None,
        operation=event.operation,
        object=event.object,
        required=need.requirement.names() if need else None,
        held=list(register.names(key.held(event.at))) if key and register else None,
        used=[str(p) for p in need.requirement.any_of[used]] if need and used is not None else None,
        missing=[str(p) for p in decision.missing] or None if not isinstance(decision, Allowed) else None,
        intended=[list(pair) for pair in need.intended] or None if need else None,
        allowed=bool(decision),
        code=None if isinstance(decision, Allowed) else decision.reason.value,
        report=True if event.reported else None,
        stale=True if event.stale else None,
        age=event.age,
        address=event.address,
        request_id=event.request_id or None,
        position=event.position,
    )
