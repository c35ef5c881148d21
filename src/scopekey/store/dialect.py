"""Every difference between SQLite and PostgreSQL, and nothing else knows which of them it is.

Column types stand in migrations of databases that exist: what is here may be added to, not changed.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Engine, Integer, String, Table, create_engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

ID = String().with_variant(String(collation="C"), "postgresql")
"""Text compared byte by byte: the order of ids is the same on both, whatever the database's language."""

ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number that is the primary key. SQLite numbers rows itself only where the type says INTEGER."""

CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
"""Table options: the rows stand in the order of their primary key."""

# Of PostgreSQL: no permission for a table, no such table. Somebody is at work on the database.
_UNAVAILABLE_STATES = frozenset({"42501", "42P01"})
_UNIQUE_STATE = "23505"
_UNIQUE_CODES = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID}
)
_CHANNEL = "scopekey_changes"
_MIGRATION_LOCK = 0x73636F706B6579  # "scopkey": the number that two upgrades at once meet at


class contains(FunctionElement[bool]):  # noqa: N801 - a SQL function, written like one
    """Whether the first text holds the second, both as they stand: no wildcards, no folding of case."""

    type: TypeEngine[bool] = Boolean()
    inherit_cache: bool | None = True


class wake(FunctionElement[None]):  # noqa: N801 - the same
    """Wakes whoever listens, with this position, when the transaction commits; says nothing itself.

    On SQLite nobody listens: whoever commits there applies.
    """

    inherit_cache: bool | None = True


@compiles(wake, "sqlite")
def _wake_sqlite(element: wake, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ARG001 - as SQLAlchemy calls it
    return "NULL"


@compiles(wake, "postgresql")
def _wake_postgresql(element: wake, compiler: SQLCompiler, **options: Any) -> str:
    return f"pg_notify('{_CHANNEL}', CAST({compiler.process(element.clauses, **options)} AS text))"


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


def is_shared(url: URL) -> bool:
    """Tell whether other machines use the database too: a file is one machine's, a server has many."""
    return url.get_backend_name() != "sqlite"


class Database:
    """One database and its connections, made when they are first used. Safe for threads, not for forks.

    `lock_timeout` is the longest wait for a lock of another transaction, in milliseconds.
    """

    def __init__(self, url: URL, lock_timeout: int) -> None:
        if url.get_backend_name() == "sqlite":
            self._engine = self._writer = self._reader = _make_sqlite(url, lock_timeout)
            # Without IMMEDIATE two writers would both read first, and one of them be refused at its first write.
            self._begin_write, self._begin_read = "BEGIN IMMEDIATE", "BEGIN"
        else:
            self._engine = _make_postgresql(url)
            self._writer = self._engine.execution_options(isolation_level="READ COMMITTED")
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._begin_write = self._begin_read = f"SET LOCAL lock_timeout = {int(lock_timeout)}"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Make a transaction, committed at the end, whose statements each see every commit made before them."""
        with _begin(self._writer, self._begin_write) as connection:
            yield connection
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Make a transaction that sees one state from its first statement to its last."""
        with _begin(self._reader, self._begin_read) as connection:
            yield connection

    def close(self) -> None:
        """Close all connections that nobody uses."""
        self._engine.dispose()


def _begin(engine: Engine, statement: str) -> Connection:
    """Begin on a connection that answers: one that was cut while nobody used it is replaced, once."""
    for last in (False, True):
        connection = engine.connect()
        try:
            connection.exec_driver_sql(statement)
            return connection
        except DBAPIError as error:
            connection.close()
            if last or not error.connection_invalidated:
                raise
        except BaseException:
            connection.close()
            raise
    raise AssertionError


def write_rows(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], change: Mapping[str, str] | None = None
) -> None:
    """Add many rows, each with a value for every column in their order, in the fastest way there is.

    Values go to the driver as they are: they must be what the columns keep. Where a row with the same primary
    key is there already, `change` says in SQL what its columns become; there the new row is called `excluded`.
    No two of `rows` may have the same key then.
    """
    if not rows:
        return
    statement = f"INSERT INTO {table.name} ({_names(table.columns)})"
    conflict = f" ON CONFLICT ({_names(table.primary_key)}) DO UPDATE SET {_settings(change)}" if change else ""
    if connection.dialect.name == "postgresql":
        kinds = ", ".join(f"%s::{_ARRAYS[_plain(column.type)]}[]" for column in table.columns)
        columns = tuple(list(values) for values in zip(*rows, strict=True))
        connection.exec_driver_sql(f"{statement} SELECT * FROM unnest({kinds}){conflict}", columns)  # noqa: S608 - our own names
    else:
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(f"{statement} VALUES ({marks}){conflict}", list(rows))


def _names(columns: Iterable[Column[Any]]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def _settings(change: Mapping[str, str]) -> str:
    return ", ".join(f'"{name}" = {expression}' for name, expression in change.items())


_ARRAYS: dict[type, str] = {int: "bigint", str: "text", bytes: "bytea"}


def _plain(kind: TypeEngine[Any]) -> type:
    """The Python type of a column's values, also where a type of ours stands around the database's."""
    return kind.impl_instance.python_type if isinstance(kind, TypeDecorator) else kind.python_type


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
    wait = lock_timeout / 1000

    def connect() -> sqlite3.Connection:
        _create_private(path)
        # No isolation level: the driver's own transactions begin late and never IMMEDIATE; ours are begun above.
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
        try:
            _use_wal(connection, wait)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # The log writes to the same pages of its indexes again and again: the more of the write-ahead log is
            # carried into the database at once, the fewer of them. 32 MiB; who commits next does it, without the lock.
            connection.execute("PRAGMA wal_autocheckpoint = 8000")
        except BaseException:
            connection.close()
            raise
        return connection

    # A creator and no events: where an engine has one listener, every statement of it asks for more.
    return create_engine(url, creator=connect, hide_parameters=True, pool_timeout=wait)


def _use_wal(connection: sqlite3.Connection, wait: float) -> None:
    """Turn the write-ahead log on, which stays with the file. `wait` is in seconds."""
    given_up = time.monotonic() + wait
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # The one statement that does not wait by itself: two processes that make a file at once meet here.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > given_up:
                raise
        time.sleep(0.005)


def _create_private(path: str) -> None:
    # SQLite gives the files beside it (-wal, -shm) the permissions of the database itself. Only where
    # it is new: closing any descriptor of a file drops every lock this process holds on it.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise sqlite3.OperationalError("the database file cannot be made") from error


# Prepared statements outlive a transaction, and a pooler in between gives the next one to another server.
_ARGUMENTS = {"prepare_threshold": None, "connect_timeout": 5, "tcp_user_timeout": 5000}
# Who only listens sends nothing, and would not notice that nobody is there any more.
_LISTENING = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}


def _make_postgresql(url: URL) -> Engine:
    return create_engine(url, hide_parameters=True, pool_timeout=5, connect_args=_ARGUMENTS)


class Listener:
    """A PostgreSQL connection of its own that hears of announcements. Any failure of it raises: make a new one.

    Behind a pooler that gives each transaction another connection it hears nothing.
    """

    def __init__(self, url: URL) -> None:
        engine = create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args=_ARGUMENTS | _LISTENING)
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            self._connection.exec_driver_sql(f"LISTEN {_CHANNEL}")
        except BaseException:
            self._connection.close()
            raise
        self._driver: Any = self._connection.connection.driver_connection

    def fileno(self) -> int:
        """What can be read from as soon as there is something to hear."""
        return int(self._driver.fileno())

    def heard(self) -> int:
        """The newest position that was announced since it was last asked, 0 where none was. Does not wait."""
        wire = self._driver.pgconn
        wire.consume_input()
        newest = 0
        while (notification := wire.notifies()) is not None:
            # Anybody may speak here: what is no position only costs a look.
            newest = max(newest, int(notification.extra) if notification.extra.isdigit() else 0)
        return newest

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
