"""Edit a key in place: what it is called, may do, from where and how long. Its secret stays."""

import msgspec

from scopekey.authority.actor import Caller
from scopekey.authority.escalation import refuse_escalation, widens
from scopekey.authority.find_key import find_key
from scopekey.authority.issue_key import MANAGE
from scopekey.authority.key_answer import key_answer, key_record
from scopekey.authority.lifetime import asked_end, refuse_beyond_policy
from scopekey.authority.permissions import asked_grant
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.key import Key
from scopekey.core.network import parse_network
from scopekey.core.organization import Organization
from scopekey.core.problem import ProblemError
from scopekey.replica.index import Place
from scopekey.store.keys import KeyRow
from scopekey.wire.resources import EditKey, KeyAnswer


def edit_key(
    authority: Authority, caller: Caller, key_id: str, asked: EditKey, *, version: int | None = None
) -> tuple[KeyAnswer, Place | None]:
    """Change what was sent, leave the rest; `version` is the one the caller read, if they want to be sure.

    Narrowing needs the permission to manage keys; widening needs to cover the key before and after.
    Raises ProblemError.
    """
    with authority.changing(caller, needs=MANAGE, key=key_id) as work:
        before, organization = find_key(work, key_id, lock=True)
        refuse_revoked(before.key)
        refuse_version(before.key, version)
        after = _edited(work, before, asked, organization)
        if widens(before.key, after.key, organization, work.register):
            refuse_escalation(work.actor, before.key, organization, work.register)
            refuse_escalation(work.actor, after.key, organization, work.register)
        work.tx.keys.update(after, before.key.version)
        work.change(
            after.key,
            "key.edit",
            organization=organization.id,
            before=key_record(before, work.register),
            after=key_record(after, work.register),
        )
        answer = key_answer(after, organization, work.register, work.now)
    return answer, work.place


def refuse_revoked(key: Key) -> None:
    """Refuse to touch a key that was revoked: that is final."""
    if key.revoked is not None:
        raise ProblemError("conflict", "The key was revoked, which is final. Issue a new one.")


def refuse_version(key: Key, version: int | None) -> None:
    """Refuse where the caller read another version than the present one."""
    if version is not None and version != key.version:
        raise ProblemError(
            "version_conflict",
            f"The key is at version {key.version}, not {version}. Read it again, and decide again.",
            version=key.version,
        )


def _edited(work: UnitOfWork, row: KeyRow, asked: EditKey, organization: Organization) -> KeyRow:
    key = row.key
    grant = key.grant if asked.permissions is None else asked_grant(work.register, asked.permissions, organization)
    edited = msgspec.structs.replace(
        key,
        version=key.version + 1,
        grant=grant,
        probation=key.probation & grant,
        expires=_end(work, key, asked, organization),
        networks=key.networks
        if asked.allowed_networks is None
        else tuple(parse_network(network) for network in asked.allowed_networks),
    )
    return msgspec.structs.replace(
        row,
        key=edited,
        name=row.name if asked.name is None else asked.name,
        metadata=row.metadata if asked.metadata is None else dict(asked.metadata),
        granted_at={bit: row.granted_at.get(bit, work.now) for bit in range(grant.bit_length()) if grant >> bit & 1},
    )


def _end(work: UnitOfWork, key: Key, asked: EditKey, organization: Organization) -> int | None:
    end = asked_end(asked, work.now)
    if end is None and not asked.never_expires:
        return key.expires
    refuse_beyond_policy(asked, end, key.created, organization)
    return end
