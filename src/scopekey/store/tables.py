"""The tables. Times are milliseconds since the epoch; a change of a table here needs a migration."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator, TypeEngine

from scopekey.store.dialect import CLUSTERED, ID, ROW_NUMBER

_LARGEST = 2**63 - 1


class InvalidValueError(ValueError, DontWrapMixin):
    """The value cannot be stored; says why, without repeating it."""


def check_text(text: str) -> None:
    """Refuse what one of the databases cannot keep. Raises InvalidValueError."""
    if "\0" in text:
        raise InvalidValueError("a text holds the character NUL, which cannot be stored")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidValueError("a text holds half a surrogate pair, which cannot be stored") from None


class Text(TypeDecorator[str]):
    """Text that both databases keep as it is."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = String
    cache_ok: bool | None = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Refuse what one of the databases cannot keep."""
        if value is not None:
            check_text(value)
        return value


class Id(Text):
    """Text ordered byte by byte."""

    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type of an id in this database."""
        return ID.dialect_impl(dialect)


class Number(TypeDecorator[int]):
    """A whole number of 64 bits."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = BigInteger
    cache_ok: bool | None = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Refuse what has more bits."""
        if value is not None and not -_LARGEST <= value <= _LARGEST:
            raise InvalidValueError("a number has more than 64 bits and cannot be stored")
        return value


metadata: MetaData = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def column(name: str, kind: Any, *arguments: Any, optional: bool = False) -> Column[Any]:
    """A column that holds something in every row, unless it is `optional`."""
    return Column(name, kind, *arguments, nullable=optional)


meta: Table = Table("meta", metadata, Column("key", Id, primary_key=True), column("value", Text), **CLUSTERED)

# One row. Whoever updates it holds its lock until the commit: that is what puts positions in commit order.
feed: Table = Table(
    "feed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    column("position", BigInteger),
    column("mark", LargeBinary),
)

changes: Table = Table(
    "changes",
    metadata,
    Column("position", ROW_NUMBER, primary_key=True, autoincrement=False),
    column("mark", LargeBinary),
    column("kind", Id),
    column("subject", Id),
    column("at", Number),
)

organizations: Table = Table(
    "organizations",
    metadata,
    Column("id", Id, primary_key=True),
    column("name", Text),
    column("operator", Boolean),
    column("suspended", Boolean),
    column("max_key_age", Number, optional=True),
    column("never_expires", Boolean),
    column("created", Number),
    column("version", Number),
    column("position", BigInteger),
    column("mark", LargeBinary),
    Index(None, "created", "id"),
)

keys: Table = Table(
    "keys",
    metadata,
    Column("id", Id, primary_key=True),
    column("organization", Id, ForeignKey("organizations.id")),
    column("environment", Text),
    column("name", Text),
    column("metadata", Text),
    column("search", Text),
    column("created", Number),
    column("created_by_kind", Text),
    column("created_by_id", Text),
    column("created_by_organization", Text, optional=True),
    column("expires", Number, optional=True),
    column("networks", Text),
    column("extensions", Text),
    column("probation_ends", Number, optional=True),
    column("revoked", Number, optional=True),
    column("revoke_reason", Text, optional=True),
    column("revoke_comment", Text, optional=True),
    column("version", Number),
    column("position", BigInteger),
    column("mark", LargeBinary),
    Index(None, "created", "id"),
    Index(None, "organization", "created", "id"),
)

secrets: Table = Table(
    "secrets",
    metadata,
    Column("key_id", Id, ForeignKey("keys.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    column("digest", LargeBinary),
    column("scheme", Integer),
    column("pepper", Id),
    column("created", Number),
    column("until", Number, optional=True),
    **CLUSTERED,
)

# A grant may have more bits than any number column: one row for each.
key_permissions: Table = Table(
    "key_permissions",
    metadata,
    Column("key_id", Id, ForeignKey("keys.id"), primary_key=True),
    Column("bit", Integer, primary_key=True, autoincrement=False),
    column("granted_at", Number),
    column("probation", Boolean),
    **CLUSTERED,
)

documents: Table = Table(
    "documents",
    metadata,
    Column("kind", Id, primary_key=True),
    column("body", LargeBinary),
    column("digest", Text),
    column("applied_at", Number),
    column("position", BigInteger),
    column("mark", LargeBinary),
)

# A row for each journal that hands decisions up; it is never a part of anything else.
journals: Table = Table(
    "journals",
    metadata,
    Column("node", Id, primary_key=True),
    Column("file", Id, primary_key=True),
    column("next_offset", Number),
    column("seen", Number),
    Index(None, "seen"),
    **CLUSTERED,
)

idempotency: Table = Table(
    "idempotency",
    metadata,
    Column("actor", Id, primary_key=True),
    Column("key", Id, primary_key=True),
    column("body_digest", Text),
    column("result", Id),
    column("created", Number),
    Index(None, "created"),
    **CLUSTERED,
)
