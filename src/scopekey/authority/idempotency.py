"""Repeating a call safely: the same ``Idempotency-Key`` and body make one key, whatever the network did."""

import hashlib

from pydantic import BaseModel

from scopekey.authority.find_key import find_key
from scopekey.authority.key_answer import key_answer
from scopekey.authority.unit_of_work import UnitOfWork
from scopekey.core.ids import KeyId
from scopekey.core.problem import ProblemError
from scopekey.wire.resources import KeyAnswer

REMEMBERED = 24 * 3_600_000
"""How long a repeat is recognised, in milliseconds."""


def repeated_key(work: UnitOfWork, action: str, idempotency_key: str | None, asked: BaseModel) -> KeyAnswer | None:
    """Give the key that an earlier call with this idempotency key made, or None where this is the first.

    Raises ProblemError `conflict` where the earlier call was another one.
    """
    if idempotency_key is None:
        return None
    work.tx.idempotency.purge(work.now - REMEMBERED)
    earlier = work.tx.idempotency.get(work.actor.id, idempotency_key)
    if earlier is None:
        return None
    if earlier.body_digest != _digest(action, asked):
        raise ProblemError(
            "conflict",
            "This Idempotency-Key was used for another request. Use a new one for a new request.",
            field="Idempotency-Key",
        )
    row, organization = find_key(work, earlier.key_id)
    return key_answer(row, organization, work.register, work.now)


def remember_key(work: UnitOfWork, action: str, idempotency_key: str | None, asked: BaseModel, key_id: KeyId) -> None:
    """Remember which key a call made, in the same transaction."""
    if idempotency_key is not None:
        work.tx.idempotency.put(work.actor.id, idempotency_key, _digest(action, asked), key_id, work.now)


def _digest(action: str, asked: BaseModel) -> str:
    return hashlib.sha256(f"{action}\n{asked.model_dump_json()}".encode()).hexdigest()
