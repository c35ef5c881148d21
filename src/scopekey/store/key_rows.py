"""A key as it lies in three tables, and back: the key itself, its secrets, its permissions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select

from scopekey.audit.entry import Who
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.network import parse_network
from scopekey.store.tables import check_text, key_permissions, secrets

_s, _p = secrets.c, key_permissions.c
_secrets = (
    select(_s.key_id, _s.digest, _s.pepper, _s.number, _s.until, _s.scheme, _s.created)
    .where(_s.key_id.in_(bindparam("wanted", expanding=True)))
    .order_by(_s.key_id, _s.number)
)
_permissions = (
    select(_p.key_id, _p.bit, _p.granted_at, _p.probation)
    .where(_p.key_id.in_(bindparam("wanted", expanding=True)))
    .order_by(_p.key_id, _p.bit)
)
_encode = msgspec.json.Encoder(order="sorted").encode
_read_names = msgspec.json.Decoder(tuple[str, ...]).decode
_read_metadata = msgspec.json.Decoder(dict[str, str]).decode


class KeyRow(msgspec.Struct, frozen=True):
    """A key with what only people need. Times are milliseconds since the epoch.

    `granted_at` tells for each bit of the grant since when it is held, `secret_created` for each
    secret's number when it was made; what they leave out counts from the key's creation. `position`
    is the feed's, of the last announced change. `last_used` is as the log tells it; None for never.
    """

    key: Key
    name: str
    metadata: dict[str, str]
    created_by: Who
    revoke_reason: str | None = None
    revoke_comment: str | None = None
    granted_at: dict[int, int] = {}
    secret_created: dict[int, int] = {}
    position: int = 0
    last_used: int | None = None


class _Parts:
    """Secrets and permissions of several keys, by key."""

    def __init__(self, connection: Connection, ids: Sequence[str]) -> None:
        self.secrets: dict[str, list[Any]] = defaultdict(list)
        self.permissions: dict[str, list[Any]] = defaultdict(list)
        if ids:
            for secret in connection.execute(_secrets, {"wanted": ids}):
                self.secrets[secret[0]].append(secret)
            for permission in connection.execute(_permissions, {"wanted": ids}):
                self.permissions[permission[0]].append(permission)

    def key(self, row: Row[*tuple[Any, ...]]) -> Key:
        grant = probation = 0
        for _, bit, _, on_probation in self.permissions[row.id]:
            grant |= 1 << bit
            if on_probation:
                probation |= 1 << bit
        secrets = tuple(Secret(s[1], PepperId(s[2]), s[3], s[4], s[5]) for s in self.secrets[row.id])
        return _key(row, secrets, grant, probation)


def _key(row: Row[*tuple[Any, ...]], secrets: tuple[Secret, ...], grant: int, probation: int) -> Key:
    return Key(
        KeyId(row.id),
        row.version,
        OrganizationId(row.organization),
        row.environment,
        secrets,
        grant,
        row.created,
        row.expires,
        tuple(map(parse_network, _read_names(row.networks))) if row.networks != "[]" else (),
        row.revoked,
        probation,
        row.probation_ends,
        _read_names(row.extensions) if row.extensions != "[]" else (),
    )


def acting_key(row: Row[*tuple[Any, ...]]) -> Key:
    """Read a key without its secrets from a row that holds its bits as text, separated by commas."""
    return _key(row, (), _mask(row.held), _mask(row.on_probation))


def _mask(bits: str | None) -> int:
    return sum(1 << int(bit) for bit in bits.split(",")) if bits else 0


def read_keys(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Key]:
    """Put keys together from their rows, as verifiers see them."""
    parts = _Parts(connection, [row.id for row in rows])
    return [parts.key(row) for row in rows]


def read_rows(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[KeyRow]:
    """Put keys together from their rows, with what people need."""
    parts = _Parts(connection, [row.id for row in rows])
    return [
        KeyRow(
            key=parts.key(row),
            name=row.name,
            metadata=_read_metadata(row.metadata),
            created_by=Who(row.created_by_kind, row.created_by_id, row.created_by_organization),
            revoke_reason=row.revoke_reason,
            revoke_comment=row.revoke_comment,
            granted_at={bit: granted_at for _, bit, granted_at, _ in parts.permissions[row.id]},
            secret_created={s.number: s.created for s in parts.secrets[row.id]},
            position=row.position,
            last_used=row.last_used,
        )
        for row in rows
    ]


def key_values(row: KeyRow) -> dict[str, Any]:
    """Everything of a key that stands in its own row, but for its id and its place in the feed."""
    key = row.key
    return {
        "organization": key.organization,
        "environment": key.environment,
        "name": row.name,
        "metadata": _metadata(row.metadata),
        "search": search_text((row.name, key.id, *(text for pair in row.metadata.items() for text in pair))),
        "created": key.created,
        "created_by_kind": row.created_by.kind,
        "created_by_id": row.created_by.id,
        "created_by_organization": row.created_by.organization,
        "expires": key.expires,
        "networks": _encode(list(map(str, key.networks))).decode(),
        "extensions": _encode(key.extensions).decode(),
        "probation_ends": key.probation_ends,
        "revoked": key.revoked,
        "revoke_reason": row.revoke_reason,
        "revoke_comment": row.revoke_comment,
        "version": key.version,
    }


def secret_values(row: KeyRow) -> list[dict[str, Any]]:
    """One row for each secret."""
    return [
        {
            "key_id": row.key.id,
            "number": secret.number,
            "digest": secret.digest,
            "scheme": secret.scheme,
            "pepper": secret.pepper,
            "created": row.secret_created.get(secret.number, row.key.created),
            "until": secret.until,
        }
        for secret in row.key.secrets
    ]


def permission_values(row: KeyRow) -> list[dict[str, Any]]:
    """One row for each bit of the grant. Raises ValueError where a bit on probation is not held."""
    key = row.key
    if key.probation & ~key.grant:
        raise ValueError("a permission on probation must be one that the key holds")
    return [
        {
            "key_id": key.id,
            "bit": bit,
            "granted_at": row.granted_at.get(bit, key.created),
            "probation": bool(key.probation >> bit & 1),
        }
        for bit in range(key.grant.bit_length())
        if key.grant >> bit & 1
    ]


def search_text(texts: Iterable[str]) -> str:
    """Write texts as they are searched: without case, in the same way on every database."""
    return "\n".join(texts).casefold()


def _metadata(metadata: dict[str, str]) -> str:
    # As JSON a NUL would get past the check of the column.
    for name, value in metadata.items():
        check_text(name)
        check_text(value)
    return _encode(metadata).decode()
