"""Organizations: the tenants and their policy."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, tuple_, update

from scopekey.core.ids import OrganizationId
from scopekey.core.organization import Organization, Policy
from scopekey.store.errors import VersionConflictError
from scopekey.store.tables import organizations

_c = organizations.c
_names = ("id", "name", "operator", "suspended", "max_key_age", "never_expires", "version")
COLUMNS = tuple(_c[name].label(f"organization_{name}") for name in _names)
"""Everything of an organization, under names of its own: for statements that join it to something else."""

_columns = tuple(_c[name] for name in _names)
_select = select(*_columns)
_get = _select.where(_c.id == bindparam("wanted"))
_get_locked = _get.with_for_update()
_many = _select.where(_c.id.in_(bindparam("wanted", expanding=True)))
_operator = _select.where(_c.operator).order_by(_c.id).limit(1)
_page = select(*_columns, _c.created).order_by(_c.created, _c.id).limit(bindparam("most"))
_page_after = _page.where(tuple_(_c.created, _c.id) > tuple_(bindparam("created"), bindparam("id")))
_stream = (
    select(*_columns, _c.position, _c.mark).where(_c.id > bindparam("after")).order_by(_c.id).limit(bindparam("most"))
)
_insert = insert(organizations)
_update = update(organizations).where(_c.id == bindparam("wanted"), _c.version == bindparam("expected"))


class Organizations:
    """Organizations by id."""

    __slots__ = ("_connection", "_writes")

    def __init__(self, connection: Connection, *, writes: bool) -> None:
        self._connection = connection
        self._writes = writes

    def insert(self, organization: Organization, created: int) -> None:
        """Add an organization. Raises DuplicateError."""
        values = {"id": organization.id, "created": created, "position": 0, "mark": b"", **_values(organization)}
        self._connection.execute(_insert, values)

    def get(self, organization_id: str, *, lock: bool = False) -> Organization | None:
        """Find an organization; `lock` holds it as it is until the end of a writing transaction."""
        statement = _get_locked if lock and self._writes else _get
        row = self._connection.execute(statement, {"wanted": organization_id}).first()
        return _organization(row) if row else None

    def many(self, ids: Iterable[str]) -> dict[str, Organization]:
        """Find several at once; what is not there is left out."""
        rows = self._connection.execute(_many, {"wanted": list(ids)})
        return {row[0]: _organization(row) for row in rows}

    def update(self, organization: Organization, expected_version: int) -> None:
        """Write an organization, new version included. Raises VersionConflictError."""
        given = {"wanted": organization.id, "expected": expected_version}
        if self._connection.execute(_update.values(_values(organization)), given).rowcount == 0:
            raise VersionConflictError(f"organization {organization.id} was changed since it was read")

    def operator(self) -> Organization | None:
        """Find the operator, None before `init`."""
        row = self._connection.execute(_operator).first()
        return _organization(row) if row else None

    def page(self, after: tuple[int, str] | None, limit: int) -> list[tuple[int, Organization]]:
        """List organizations with the time they were made, the oldest first.

        `after` is the (created, id) of the last one already seen.
        """
        given: dict[str, Any] = {"most": limit}
        if after is not None:
            given |= {"created": after[0], "id": after[1]}
        rows = self._connection.execute(_page if after is None else _page_after, given)
        return [(row.created, _organization(row)) for row in rows]

    def stream(self, after: str, limit: int) -> list[tuple[Organization, int, bytes]]:
        """List organizations by id, each with position and mark of its last change."""
        rows = self._connection.execute(_stream, {"after": after, "most": limit})
        return [(_organization(row), row.position, row.mark) for row in rows]


def _values(organization: Organization) -> dict[str, Any]:
    return {
        "name": organization.name,
        "operator": organization.operator,
        "suspended": organization.suspended,
        "max_key_age": organization.policy.max_key_age,
        "never_expires": organization.policy.never_expires,
        "version": organization.version,
    }


def _organization(row: Row[*tuple[Any, ...]]) -> Organization:
    return Organization(
        OrganizationId(row.id),
        row.name,
        row.operator,
        row.suspended,
        Policy(row.max_key_age, row.never_expires),
        row.version,
    )


def organization_of(row: Row[*tuple[Any, ...]]) -> Organization:
    """Read the organization that a joined row holds in `COLUMNS`."""
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for reading a row by its labels
    identity, *facts = (found[f"organization_{name}"] for name in _names)
    name, operator, suspended, max_key_age, never_expires, version = facts
    return Organization(
        OrganizationId(identity), name, operator, suspended, Policy(max_key_age, never_expires), version
    )
