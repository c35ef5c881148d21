"""Keys: found by id, listed, changed with their version, and streamed for a snapshot."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    String,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.store.dialect import contains
from scopekey.store.errors import VersionConflictError
from scopekey.store.key_rows import (
    KeyRow,
    acting_key,
    key_values,
    permission_values,
    read_keys,
    read_rows,
    search_text,
    secret_values,
)
from scopekey.store.log_tables import usage
from scopekey.store.organizations import COLUMNS as ORGANIZATION
from scopekey.store.organizations import organization_of
from scopekey.store.tables import key_permissions, keys, organizations, secrets

__all__ = ["KeyFilter", "KeyRow", "Keys", "Status"]

Status = Literal["active", "expired", "revoked"]

_k, _o, _s, _p = keys.c, organizations.c, secrets.c, key_permissions.c
_used = (usage.c.key == _k.id, usage.c.permission == "")
_last_used = select(func.max(usage.c.last_used)).where(*_used).scalar_subquery().label("last_used")
_row = [*(column for column in keys.c if column.name not in {"search", "mark"}), _last_used]
_core = [
    *(_k.id, _k.version, _k.organization, _k.environment, _k.created, _k.expires, _k.networks, _k.revoked),
    *(_k.probation_ends, _k.extensions, _k.position, _k.mark),
]
_now: BindParameter[Any] = bindparam("now")
_bit: BindParameter[Any] = bindparam("bit")

# The same as `core.key.Key.ends`: a lowered cap reaches keys already issued. A contract test compares them.
_cap = _k.created + _o.max_key_age
_ends = case(
    (or_(_o.max_key_age.is_(None), and_(_k.expires.is_(None), _o.never_expires)), _k.expires),
    (or_(_k.expires.is_(None), _k.expires > _cap), _cap),
    else_=_k.expires,
)
_over = and_(_ends.is_not(None), _ends <= _now)
_live = and_(_k.revoked.is_(None), or_(_ends.is_(None), _ends > _now))
_taken = and_(_p.probation, _k.probation_ends.is_not(None), _k.probation_ends <= _now)
_holds = exists().where(_p.key_id == _k.id, _p.bit == _bit, ~_taken)
_statuses: dict[str, ColumnElement[bool]] = {
    "active": _live,
    "expired": and_(_k.revoked.is_(None), _over),
    "revoked": _k.revoked.is_not(None),
}

_get = select(*_row).where(_k.id == bindparam("wanted"))
_get_locked = _get.with_for_update()
_many = select(*_core).where(_k.id.in_(bindparam("wanted", expanding=True)))
_bits = func.aggregate_strings(cast(_p.bit, String), ",")
_held = select(_bits).where(_p.key_id == _k.id).scalar_subquery()
_on_probation = select(_bits).where(_p.key_id == _k.id, _p.probation).scalar_subquery()
# All about who acts in one round trip: every change begins with it.
_acting = (
    select(*_core, *ORGANIZATION, _held.label("held"), _on_probation.label("on_probation"))
    .join_from(keys, organizations, _k.organization == _o.id)
    .where(_k.id == bindparam("wanted"))
)
_acting_shared = _acting.with_for_update(of=keys, read=True)
_acting_alone = _acting.with_for_update(of=keys)
_hold = select(_k.id).where(_k.id == bindparam("wanted")).with_for_update()
_page = (
    select(*_row)
    .join_from(keys, organizations, _k.organization == _o.id)
    .order_by(_k.created, _k.id)
    .limit(bindparam("most"))
)
_stream = select(*_core).where(_k.id > bindparam("after")).order_by(_k.id).limit(bindparam("most"))
_holder = (
    select(_k.id)
    .join_from(keys, organizations, _k.organization == _o.id)
    .where(_k.organization == bindparam("owner"), ~_o.suspended, _k.id != bindparam("besides"), _live, _holds)
    .limit(1)
)
_peppers = (
    select(_s.pepper, func.count())
    .join_from(secrets, keys, _s.key_id == _k.id)
    .join(organizations, _k.organization == _o.id)
    .where(_live, or_(_s.until.is_(None), _s.until > _now))
    .group_by(_s.pepper)
)
_insert = insert(keys)
_insert_secret = insert(secrets)
_insert_permission = insert(key_permissions)
_update = update(keys).where(_k.id == bindparam("wanted"), _k.version == bindparam("expected"))
_delete_secrets = delete(secrets).where(_s.key_id == bindparam("wanted"))
_delete_permissions = delete(key_permissions).where(_p.key_id == bindparam("wanted"))


class KeyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys to list; what is None does not matter. Times in milliseconds since the epoch.

    The end of a key is the one that counts, its organization's cap included. `expiring_before` means
    live keys that end by then; `unused_since` those made before it that were not used since; `bit` those
    that hold the permission now; `text` is looked for in name, id and metadata, without case.
    """

    now: int
    organization: OrganizationId | None = None
    status: Status | None = None
    bit: int | None = None
    text: str | None = None
    expiring_before: int | None = None
    unused_since: int | None = None


class Keys:
    """Keys by id."""

    __slots__ = ("_connection", "_writes")

    def __init__(self, connection: Connection, *, writes: bool) -> None:
        self._connection = connection
        self._writes = writes

    def insert(self, row: KeyRow) -> None:
        """Add a key. Raises DuplicateError, and ValueError for text that cannot be stored."""
        values = {"id": row.key.id, "position": 0, "mark": b"", **key_values(row)}
        self._connection.execute(_insert, values)
        self._insert_parts(row)

    def get(self, key_id: KeyId, *, lock: bool = False) -> KeyRow | None:
        """Find a key; `lock` holds it as it is until the end of a writing transaction."""
        statement = _get_locked if lock and self._writes else _get
        rows = self._connection.execute(statement, {"wanted": key_id}).all()
        return read_rows(self._connection, rows)[0] if rows else None

    def hold(self, key_id: KeyId) -> None:
        """Let nobody else change a key, or act with it, until the end of a writing transaction."""
        if self._writes:
            self._connection.execute(_hold, {"wanted": key_id})

    def acting(self, key_id: KeyId, *, lock: bool = False, alone: bool = False) -> tuple[Key, Organization] | None:
        """Find a key that acts, and its organization: its power and its limits, without its secrets.

        `lock` holds it as it is until the end of a writing transaction. Others may act with it meanwhile,
        but where it is `alone`.
        """
        held = _acting_alone if alone else _acting_shared
        statement = held if lock and self._writes else _acting
        row = self._connection.execute(statement, {"wanted": key_id}).first()
        return None if row is None else (acting_key(row), organization_of(row))

    def many(self, ids: Iterable[str]) -> dict[str, Key]:
        """Find several at once, as verifiers see them; what is not there is left out."""
        rows = self._connection.execute(_many, {"wanted": list(ids)}).all()
        return {key.id: key for key in read_keys(self._connection, rows)}

    def update(self, row: KeyRow, expected_version: int) -> None:
        """Write a key, new version included. Raises VersionConflictError where it was changed since."""
        given = {"wanted": row.key.id, "expected": expected_version}
        if self._connection.execute(_update.values(key_values(row)), given).rowcount == 0:
            raise VersionConflictError(f"{row.key.id} was changed since it was read")
        self._connection.execute(_delete_secrets, {"wanted": row.key.id})
        self._connection.execute(_delete_permissions, {"wanted": row.key.id})
        self._insert_parts(row)

    def page(self, wanted: KeyFilter, after: tuple[int, str] | None, limit: int) -> list[KeyRow]:
        """List keys, the oldest first. `after` is the (created, id) of the last key already seen."""
        statement = _page.where(*_conditions(wanted, after))
        given: dict[str, Any] = {"most": limit, "now": wanted.now, "bit": wanted.bit}
        rows = self._connection.execute(statement, given).all()
        return read_rows(self._connection, rows)

    def another_live_holder(self, bit: int, besides: KeyId, organization: OrganizationId, now: int) -> bool:
        """Tell whether another live key of the organization holds the permission with this bit."""
        given = {"bit": bit, "besides": besides, "owner": organization, "now": now}
        return self._connection.execute(_holder, given).first() is not None

    def stream(self, after: KeyId | None, limit: int) -> list[tuple[Key, int, bytes]]:
        """List keys by id, as verifiers see them, each with position and mark of its last change."""
        rows = self._connection.execute(_stream, {"after": after or "", "most": limit}).all()
        found = read_keys(self._connection, rows)
        return [(key, row.position, row.mark) for key, row in zip(found, rows, strict=True)]

    def pepper_counts(self, now: int) -> dict[PepperId, int]:
        """Count the secrets that still work, by the pepper they were digested with."""
        rows = self._connection.execute(_peppers, {"now": now})
        return {PepperId(pepper): count for pepper, count in rows}

    def _insert_parts(self, row: KeyRow) -> None:
        for statement, values in (
            (_insert_secret, secret_values(row)),
            (_insert_permission, permission_values(row)),
        ):
            if values:
                self._connection.execute(statement, values)


def _conditions(wanted: KeyFilter, after: tuple[int, str] | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.organization is not None:
        found.append(_k.organization == wanted.organization)
    if wanted.status is not None:
        found.append(_statuses[wanted.status])
    if wanted.bit is not None:
        found.append(_holds)
    if wanted.text:
        found.append(contains(_k.search, bindparam(None, search_text((wanted.text,)), _k.search.type)))
    if wanted.expiring_before is not None:
        found += [_live, _ends <= wanted.expiring_before]
    if wanted.unused_since is not None:
        used = exists().where(*_used, usage.c.last_used >= wanted.unused_since)
        found += [_k.created < wanted.unused_since, ~used]
    if after is not None:
        found.append(tuple_(_k.created, _k.id) > after)
    return found
