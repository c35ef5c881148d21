"""The audit entries that events are to become, written out member by member: what every batch is held to."""

from scopekey.audit.entry import NONCE_SIZE, Entry, Who
from scopekey.core.decision import Allowed
from scopekey.replica.refusals import MINUTE


def entry_of(event, nonce):
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


def refusals_entry(cell, count, nonce):
    """Write a count as the audit entry it will be; `count` holds also those told in full."""
    return Entry(
        nonce=nonce.hex(),
        at=cell.minute + MINUTE,
        kind="refusals",
        allowed=False,
        code=cell.code,
        address=cell.network,
        count=count,
    )
