"""Every difference between SQLite and PostgreSQL, and nothing else knows which of them it is.

Column types stand in migrations of databases that exist: what is here may be added to, not changed.
"""

import os
import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Engine, Integer, String, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

ID = String().with_variant(String(collation="C"), "postgresql")
"""Text compared byte by byte: the order of ids is the same on both, whatever the database's language."""

ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number that is the primary key. SQLite numbers rows itself only where the type says INTEGER."""

CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
"""Table options: the rows stand in the order of their primary key."""

WRITES = "scopekey_writes"
"""The execution option that says that a transaction writes: its value is the longest wait for a lock, in ms."""

# Of PostgreSQL: no permission for a table, no such table. Somebody is at work on the database.
_UNAVAILABLE_STATES = frozenset({"42501", "42P01"})
_UNIQUE_STATE = "23505"
_UNIQUE_CODES = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID}
)
_MIGRATION_LOCK = 0x73636F706B6579  # "scopkey": the number that two upgrades at once meet at


class contains(FunctionElement[bool]):  # noqa: N801 - a SQL function, written like one
    """Whether the first text holds the second, both as they stand: no wildcards, no folding of case."""

    type = Boolean()
    inherit_cache = True


@compiles(contains, "sqlite")
def _contains_sqlite(element: contains, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)}) > 0"


@compiles(contains, "postgresql")
def _contains_postgresql(element: contains, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)}) > 0"


def read_url(text: str) -> URL:
    """Read a database's URL. Raises ValueError, without repeating the password that may be in it."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("the database URL cannot be read: write sqlite:///PATH or postgresql://…") from None
    backend = url.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"the database {backend!r} is not supported: use sqlite:///PATH or postgresql://…")
    if url.database in {None, "", ":memory:"} or url.query:
        raise ValueError("a SQLite database must be a file, sqlite:///PATH: several processes share it")
    return url.set(drivername="sqlite+pysqlite")


def migrates_itself(url: URL) -> bool:
    """Tell whether opening the database also upgrades it: a file has one owner, a server has many."""
    return url.get_backend_name() == "sqlite"


def make_engine(url: URL, lock_timeout: int) -> Engine:
    """Make an engine that connects when it is first used. `lock_timeout` is in milliseconds."""
    if url.get_backend_name() == "sqlite":
        return _make_sqlite(url, lock_timeout)
    return _make_postgresql(url)


def for_writing(engine: Engine, lock_timeout: int) -> Engine:
    """Give the engine whose transactions write, and see every commit made before each statement."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{WRITES: lock_timeout})
    return engine.execution_options(isolation_level="READ COMMITTED", **{WRITES: lock_timeout})


def for_reading(engine: Engine) -> Engine:
    """Give the engine whose transactions see one state from their first statement to their last."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def lock_schema(connection: Connection) -> None:
    """Let one upgrade at a time go on, until the end of this transaction. SQLite's has the lock already."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")


def is_duplicate(error: DBAPIError) -> bool:
    """Tell whether a row was refused because there already is one."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code in _UNIQUE_CODES or getattr(error.orig, "sqlstate", None) == _UNIQUE_STATE


def is_unavailable(error: DBAPIError) -> bool:
    """Tell whether the database could not do it now, whatever it was asked."""
    if isinstance(error, (OperationalError, InterfaceError, InternalError)) or error.connection_invalidated:
        return True
    # A damaged file is the bare class, which every other error derives from.
    return type(error.orig) is sqlite3.DatabaseError or getattr(error.orig, "sqlstate", None) in _UNAVAILABLE_STATES


def _make_sqlite(url: URL, lock_timeout: int) -> Engine:
    path = url.database or ""
    engine = create_engine(
        url, hide_parameters=True, pool_timeout=lock_timeout / 1000, connect_args={"timeout": lock_timeout / 1000}
    )

    @event.listens_for(engine, "do_connect")
    def private(*_: object) -> None:
        try:
            _create_private(path)
        except OSError as error:
            raise sqlite3.OperationalError(f"the file cannot be made: {error.strerror}") from error

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        # The driver's own transactions begin late and never IMMEDIATE: ours are begun below.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Without IMMEDIATE two writers would both read first, and one of them be refused at its first write.
        writes = WRITES in connection.get_execution_options()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _create_private(path: str) -> None:
    # SQLite gives the files beside it (-wal, -shm) the permissions of the database itself. Only where
    # it is new: closing any descriptor of a file drops every lock this process holds on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _make_postgresql(url: URL) -> Engine:
    # Prepared statements outlive a transaction, and a pooler in between gives the next one to another server.
    arguments = {"prepare_threshold": None, "connect_timeout": 5, "tcp_user_timeout": 5000}
    engine = create_engine(url, hide_parameters=True, pool_timeout=5, pool_pre_ping=True, connect_args=arguments)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        lock_timeout = connection.get_execution_options().get(WRITES)
        if lock_timeout is not None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(lock_timeout)}")

    return engine
