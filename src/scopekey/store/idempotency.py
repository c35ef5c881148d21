"""Which key a creation made, so that a repeat of the same call makes no second one."""

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select

from scopekey.core.ids import KeyId
from scopekey.store.tables import idempotency

_c = idempotency.c
_get = select(_c.body_digest, _c.result, _c.created).where(_c.actor == bindparam("who"), _c.key == bindparam("name"))
_put = insert(idempotency)
_purge = delete(idempotency).where(_c.created < bindparam("before"))


class Remembered(msgspec.Struct, frozen=True):
    """A call that was made: the digest of its body, and the key it made or changed."""

    body_digest: str
    key_id: KeyId
    created: int


class Idempotency:
    """Calls by actor and Idempotency-Key."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, actor: str, key: str) -> Remembered | None:
        """Find a call."""
        row = self._connection.execute(_get, {"who": actor, "name": key}).first()
        return Remembered(row.body_digest, KeyId(row.result), row.created) if row else None

    def put(self, actor: str, key: str, body_digest: str, key_id: KeyId, created: int) -> None:
        """Remember a call. Raises DuplicateError where the same call was made at the same time."""
        values = {"actor": actor, "key": key, "body_digest": body_digest, "result": key_id, "created": created}
        self._connection.execute(_put, values)

    def purge(self, before: int) -> int:
        """Forget calls made before a time; gives how many."""
        return self._connection.execute(_purge, {"before": before}).rowcount
