"""The platform's own DuckDB: opened, locked, read and written. SQL that callers write never runs here.

Nothing outside the database's own file and one private scratch folder can be reached, and no statement can change
that: external access is off and the configuration is locked.
"""

import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import duckdb

from scopekey.demo.limits import Limits
from scopekey.demo.problems import Refused

Row = tuple[Any, ...]

_TABLES = """
CREATE SCHEMA IF NOT EXISTS platform;
CREATE SCHEMA IF NOT EXISTS data;
CREATE SEQUENCE IF NOT EXISTS platform.dataset_ids;
CREATE SEQUENCE IF NOT EXISTS platform.query_ids;
CREATE SEQUENCE IF NOT EXISTS platform.job_ids;
CREATE SEQUENCE IF NOT EXISTS platform.connection_ids;
CREATE SEQUENCE IF NOT EXISTS platform.delivery_ids;
CREATE SEQUENCE IF NOT EXISTS platform.workflow_ids;
CREATE SEQUENCE IF NOT EXISTS platform.run_ids;
CREATE TABLE IF NOT EXISTS platform.datasets (
    id BIGINT NOT NULL, name VARCHAR NOT NULL, same_name VARCHAR NOT NULL, description VARCHAR, tags VARCHAR NOT NULL,
    columns VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS platform.queries (
    id BIGINT NOT NULL, name VARCHAR NOT NULL, description VARCHAR, sql VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS platform.jobs (
    id BIGINT NOT NULL, query_id BIGINT NOT NULL, sql VARCHAR NOT NULL, state VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL, started_at TIMESTAMP, finished_at TIMESTAMP,
    row_count BIGINT, result VARCHAR, error VARCHAR, detail VARCHAR);
CREATE TABLE IF NOT EXISTS platform.connections (
    id BIGINT NOT NULL, name VARCHAR NOT NULL, settings VARCHAR NOT NULL, credential VARCHAR,
    credential_at TIMESTAMP, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS platform.outbox (
    id BIGINT NOT NULL, connection_id BIGINT NOT NULL, dataset_id BIGINT NOT NULL, row_count BIGINT NOT NULL,
    content VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS platform.workflows (
    id BIGINT NOT NULL, name VARCHAR NOT NULL, description VARCHAR, steps VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS platform.workflow_runs (
    id BIGINT NOT NULL, workflow_id BIGINT NOT NULL, state VARCHAR NOT NULL, reason VARCHAR, key_id VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL, steps VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL, finished_at TIMESTAMP);
"""


def utc_now() -> datetime:
    """The time as it is stored: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Engine:
    """One DuckDB database, in the file `store.duckdb` of `folder`, or in memory."""

    def __init__(self, folder: Path | None, limits: Limits) -> None:
        self._limits = limits
        self._writing = threading.Lock()
        self.scratch: Path = Path(tempfile.mkdtemp(prefix="data-platform-"))
        # An application may be made only to be looked at, and never started or closed.
        self._clear = weakref.finalize(self, shutil.rmtree, self.scratch, ignore_errors=True)
        self._connection = _open(folder, self.scratch, limits)

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of one statement of ours; it may not write, and is stopped at the time limit."""
        with self.reading() as cursor, self._in_time(cursor):
            return cursor.execute(sql, parameters).fetchall()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that sees one moment of the data and can change none of it."""
        with self._connection.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose statements all take effect, or none does. One writer at a time."""
        with self._writing, self._connection.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except duckdb.OutOfMemoryException:
                raise Refused(HTTPStatus.INSUFFICIENT_STORAGE, "full", "The platform has no room left.") from None

    def close(self) -> None:
        """Let go of the database and the scratch folder."""
        with self._writing:
            self._connection.close()
        self._clear()

    @contextmanager
    def _in_time(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        timer = threading.Timer(self._limits.statement_seconds, cursor.interrupt)
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            detail = f"This took longer than {self._limits.statement_seconds:g} s and was stopped."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow", detail) from None
        except duckdb.OutOfMemoryException:
            detail = "This needed more memory than the platform has."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too_large_to_read", detail) from None
        finally:
            timer.cancel()
            timer.join()


def _open(folder: Path | None, scratch: Path, limits: Limits) -> duckdb.DuckDBPyConnection:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        str(folder / "store.duckdb") if folder else ":memory:",
        config={
            "threads": limits.threads,
            "memory_limit": f"{limits.store_megabytes}MB",
            "temp_directory": "",
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        },
    )
    connection.execute(_TABLES)
    connection.execute(_allow(scratch))
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _allow(folder: Path) -> str:
    path = str(folder).replace("'", "''")
    return f"SET allowed_directories = ['{path}']"
