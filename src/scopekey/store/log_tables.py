"""The tables of the audit log, and of what is folded from it. Times are milliseconds since the epoch."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from scopekey.store.dialect import CLUSTERED, ROW_NUMBER
from scopekey.store.tables import Id, Number, Text, column, metadata

# Entries as they come, in any order; the log takes them from here, numbers and seals them.
arrivals: Table = Table("arrivals", metadata, Column("id", ROW_NUMBER, primary_key=True), column("body", LargeBinary))

# One row. Whoever appends to the log holds its lock until the commit.
log: Table = Table(
    "log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    column("size", BigInteger),
    # Entries below it are in the archive and no longer in the table.
    column("archived", BigInteger),
    # What the entries below it say of use is in the tables of use.
    column("folded", BigInteger),
)

# Sealed: everything beside the body is there to be searched by, and stands in the body too.
entries: Table = Table(
    "entries",
    metadata,
    Column("log_index", ROW_NUMBER, primary_key=True, autoincrement=False),
    column("at", Number),
    column("kind", Id),
    column("organization", Id, optional=True),
    column("key", Id, optional=True),
    column("action", Id, optional=True),
    column("operation", Text, optional=True),
    column("request_id", Id, optional=True),
    column("outcome", Id, optional=True),
    column("body", LargeBinary),
    Index(None, "organization", "log_index"),
    Index(None, "key", "log_index"),
    Index(None, "request_id"),
)
# Few decisions are forgiven, and they are asked for by themselves.
_reported = entries.c.outcome == "reported"
Index("ix_entries_reported", entries.c.at, sqlite_where=_reported, postgresql_where=_reported)

# Hash tiles (C2SP tlog-tiles): up to 256 hashes of 32 bytes. The last one of each level grows.
tiles: Table = Table(
    "tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    column("hashes", LargeBinary),
    **CLUSTERED,
)

checkpoints: Table = Table(
    "checkpoints",
    metadata,
    Column("size", ROW_NUMBER, primary_key=True, autoincrement=False),
    column("at", Number),
    # The signed note, as it was given to whoever asked.
    column("note", Text),
    Index(None, "at"),
)

# What each permission of a key was used for; the permission "" stands for the key as a whole.
usage: Table = Table(
    "usage",
    metadata,
    Column("key", Id, primary_key=True),
    Column("permission", Id, primary_key=True),
    Column("secret", Integer, primary_key=True, autoincrement=False),
    column("uses", BigInteger),
    column("first_used", Number, optional=True),
    column("last_used", Number, optional=True),
    column("refusals", BigInteger),
    column("last_refused", Number, optional=True),
    **CLUSTERED,
)

# A day is counted from the epoch, in UTC.
usage_days: Table = Table(
    "usage_days",
    metadata,
    Column("key", Id, primary_key=True),
    Column("permission", Id, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    column("uses", BigInteger),
    column("refusals", BigInteger),
    **CLUSTERED,
)
