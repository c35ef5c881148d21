"""Revoke a key: final, and known to every verifier of this machine before the call returns."""

import msgspec

from scopekey.authority.actor import Caller
from scopekey.authority.find_key import find_key
from scopekey.authority.issue_key import MANAGE
from scopekey.authority.key_answer import key_answer, key_record
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.replica.index import Place
from scopekey.wire.resources import KeyAnswer, RevokeKey

LAST_MANAGER = (
    "This was the last live key of its organization that can manage keys. "
    "Make another one on the home folder: scopekey keys create --local"
)


def revoke_key(authority: Authority, caller: Caller, key_id: str, asked: RevokeKey) -> tuple[KeyAnswer, Place | None]:
    """End a key now. A key may always revoke itself; others need the permission to manage keys.

    Revoking a revoked key changes nothing and answers as before. Raises ProblemError.
    """
    itself = caller.kind == "key" and caller.id == key_id
    with authority.changing(caller, needs=None if itself else MANAGE, key=key_id) as work:
        before, organization = find_key(work, key_id, lock=True)
        if before.key.revoked is not None:
            return key_answer(before, organization, work.register, work.now), None
        warnings = (LAST_MANAGER,) if _last_manager(work, before.key, organization) else ()
        after = msgspec.structs.replace(
            before,
            key=msgspec.structs.replace(before.key, version=before.key.version + 1, revoked=work.now),
            revoke_reason=asked.reason,
            revoke_comment=asked.comment,
        )
        work.tx.keys.update(after, before.key.version)
        work.change(
            after.key,
            "key.revoke",
            organization=organization.id,
            before=key_record(before, work.register),
            after=key_record(after, work.register),
        )
        answer = key_answer(after, organization, work.register, work.now, warnings)
    return answer, work.place


def _last_manager(work: UnitOfWork, key: Key, organization: Organization) -> bool:
    """Tell whether this live key can manage keys, and no other of the organization."""
    ends = key.ends(organization)
    if ends is not None and work.now >= ends:
        return False
    manage = work.register.parse((MANAGE,))
    if not work.register.effective(key.held(work.now)) & manage:
        return False
    bit = manage.bit_length() - 1
    return not work.tx.keys.another_live_holder(bit, key.id, key.organization, work.now)
