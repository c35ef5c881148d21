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
    UniqueConstraint,
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


class _Text(TypeDecorator[str]):
    """Text that both databases keep as it is."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is not None:
            check_text(value)
        return value


class _Id(_Text):
    """Text ordered byte by byte."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ID.dialect_impl(dialect)


class _Number(TypeDecorator[int]):
    """A whole number of 64 bits."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is not None and not -_LARGEST <= value <= _LARGEST:
            raise InvalidValueError("a number has more than 64 bits and cannot be stored")
        return value


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _column(name: str, kind: Any, *arguments: Any, optional: bool = False) -> Column[Any]:
    return Column(name, kind, *arguments, nullable=optional)


meta = Table("meta", metadata, Column("key", _Id, primary_key=True), _column("value", _Text), **CLUSTERED)

# One row. Whoever updates it holds its lock until the commit: that is what puts positions in commit order.
feed = Table(
    "feed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _column("position", BigInteger),
    _column("mark", LargeBinary),
)

changes = Table(
    "changes",
    metadata,
    Column("position", ROW_NUMBER, primary_key=True, autoincrement=False),
    _column("mark", LargeBinary),
    _column("kind", _Id),
    _column("subject", _Id),
    _column("at", _Number),
)

organizations = Table(
    "organizations",
    metadata,
    Column("id", _Id, primary_key=True),
    _column("name", _Text),
    _column("operator", Boolean),
    _column("suspended", Boolean),
    _column("max_key_age", _Number, optional=True),
    _column("never_expires", Boolean),
    _column("created", _Number),
    _column("version", _Number),
    _column("position", BigInteger),
    _column("mark", LargeBinary),
    Index(None, "created", "id"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", _Id, primary_key=True),
    _column("organization", _Id, ForeignKey("organizations.id")),
    _column("environment", _Text),
    _column("name", _Text),
    _column("metadata", _Text),
    _column("search", _Text),
    _column("created", _Number),
    _column("created_by_kind", _Text),
    _column("created_by_id", _Text),
    _column("created_by_organization", _Text, optional=True),
    _column("expires", _Number, optional=True),
    _column("networks", _Text),
    _column("extensions", _Text),
    _column("probation_ends", _Number, optional=True),
    _column("revoked", _Number, optional=True),
    _column("revoke_reason", _Text, optional=True),
    _column("revoke_comment", _Text, optional=True),
    _column("version", _Number),
    _column("position", BigInteger),
    _column("mark", LargeBinary),
    Index(None, "created", "id"),
    Index(None, "organization", "created", "id"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("key_id", _Id, ForeignKey("keys.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _column("digest", LargeBinary),
    _column("scheme", Integer),
    _column("pepper", _Id),
    _column("created", _Number),
    _column("until", _Number, optional=True),
    **CLUSTERED,
)

# A grant may have more bits than any number column: one row for each.
key_permissions = Table(
    "key_permissions",
    metadata,
    Column("key_id", _Id, ForeignKey("keys.id"), primary_key=True),
    Column("bit", Integer, primary_key=True, autoincrement=False),
    _column("granted_at", _Number),
    _column("probation", Boolean),
    **CLUSTERED,
)

documents = Table(
    "documents",
    metadata,
    Column("kind", _Id, primary_key=True),
    _column("body", LargeBinary),
    _column("digest", _Text),
    _column("applied_at", _Number),
    _column("position", BigInteger),
    _column("mark", LargeBinary),
)

# Entries are written in any order; the log numbers them later.
entries = Table(
    "entries",
    metadata,
    Column("id", ROW_NUMBER, primary_key=True),
    _column("at", _Number),
    _column("kind", _Id),
    _column("organization", _Id, optional=True),
    _column("key", _Id, optional=True),
    _column("action", _Id, optional=True),
    _column("request_id", _Id, optional=True),
    _column("outcome", _Id, optional=True),
    _column("body", LargeBinary),
    _column("log_index", BigInteger, optional=True),
    UniqueConstraint("log_index"),
    Index(None, "at"),
    Index(None, "organization", "at"),
    Index(None, "key", "at"),
    Index(None, "request_id"),
)
# Few decisions are forgiven, and they are asked for by themselves.
_reported = entries.c.outcome == "reported"
Index("ix_entries_reported", entries.c.at, sqlite_where=_reported, postgresql_where=_reported)

# A row for each journal that hands decisions up; it is never a part of anything else.
journals = Table(
    "journals",
    metadata,
    Column("node", _Id, primary_key=True),
    Column("file", _Id, primary_key=True),
    _column("next_offset", _Number),
    _column("seen", _Number),
    Index(None, "seen"),
    **CLUSTERED,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", _Id, primary_key=True),
    Column("key", _Id, primary_key=True),
    _column("body_digest", _Text),
    _column("result", _Id),
    _column("created", _Number),
    Index(None, "created"),
    **CLUSTERED,
)
