"""Rotate a key: a new secret, the same id and grant. The old secret goes on until the overlap ends."""

import msgspec

from scopekey.authority.actor import Caller
from scopekey.authority.edit_key import refuse_revoked, refuse_version
from scopekey.authority.escalation import refuse_escalation
from scopekey.authority.find_key import find_key
from scopekey.authority.idempotency import remember_key, repeated_key
from scopekey.authority.issue_key import MANAGE
from scopekey.authority.key_answer import key_answer, key_record
from scopekey.authority.unit_of_work import Authority
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization
from scopekey.core.problem import ProblemError
from scopekey.replica.index import Place
from scopekey.store.keys import KeyRow
from scopekey.wire.resources import IssuedKey, RotateKey
from scopekey.wire.times import parse_duration, rfc3339


def rotate_key(
    authority: Authority,
    caller: Caller,
    key_id: str,
    asked: RotateKey,
    *,
    version: int | None = None,
    idempotency_key: str | None = None,
) -> tuple[IssuedKey, Place | None]:
    """Give a key a new secret. Whoever gets it must cover the whole key. Raises ProblemError."""
    action = f"keys.rotate {key_id}"
    with authority.changing(caller, needs=MANAGE, key=key_id, alone=idempotency_key is not None) as work:
        again = repeated_key(work, action, idempotency_key, asked)
        if again is not None:
            return IssuedKey(key=again, secret=None), None
        before, organization = find_key(work, key_id, lock=True)
        _refuse_ended(before.key, organization, work.now)
        refuse_version(before.key, version)
        refuse_escalation(work.actor, before.key, organization, work.register)
        printed = authority.key_format.print(before.key.environment, before.key.id, authority.random(32))
        secret = Secret(authority.pepper.digest(printed), authority.pepper.id, _next_number(before))
        after = _rotated(before, secret, asked, organization, work.now)
        work.tx.keys.update(after, before.key.version)
        remember_key(work, action, idempotency_key, asked, before.key.id)
        work.change(
            after.key,
            "key.rotate",
            organization=organization.id,
            before=key_record(before, work.register),
            after=key_record(after, work.register),
        )
        answer = key_answer(after, organization, work.register, work.now)
    return IssuedKey(key=answer, secret=printed), work.place


def _refuse_ended(key: Key, organization: Organization, now: int) -> None:
    refuse_revoked(key)
    ends = key.ends(organization)
    if ends is not None and now >= ends:
        raise ProblemError(
            "conflict", "The key has ended; a new secret would not work. Renew it first, or issue a new one."
        )


def _next_number(row: KeyRow) -> int:
    return max(row.secret_created, default=0) + 1


def _rotated(row: KeyRow, secret: Secret, asked: RotateKey, organization: Organization, now: int) -> KeyRow:
    key = row.key
    kept = _kept(key, asked, now)
    until = now + parse_duration(asked.overlap)
    ends = key.ends(organization)
    limits = [limit for limit in (until, ends, kept.until) if limit is not None]
    # A secret that was about to end already is not given more time by another rotation.
    old = msgspec.structs.replace(kept, until=min(limits))
    return msgspec.structs.replace(
        row,
        key=msgspec.structs.replace(key, version=key.version + 1, secrets=(old, secret)),
        secret_created={**row.secret_created, secret.number: now},
    )


def _kept(key: Key, asked: RotateKey, now: int) -> Secret:
    """The one of the present secrets that goes on beside the new one."""
    live = [secret for secret in key.secrets if secret.until is None or secret.until > now]
    if len(live) <= 1:
        return live[0] if live else key.secrets[-1]
    older, newer = sorted(live, key=lambda secret: secret.number)
    if asked.replace == "old":
        return newer
    if asked.replace == "new":
        return older
    ends = "" if older.until is None else f" until {rfc3339(older.until)}"
    raise ProblemError(
        "rotation_in_progress",
        f"Two secrets are live already: the one before goes on{ends}. "
        'Wait, or send `replace`: "old" ends that one now, "new" ends the newer one.',
    )
