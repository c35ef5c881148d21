"""Bring the tables of a database to what this version of Scopekey knows.

A SQLite file is upgraded when it is opened; a PostgreSQL by `scopekey db upgrade`, once for all nodes.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect

from scopekey.store.dialect import Database, lock_schema, read_url
from scopekey.store.errors import SchemaError
from scopekey.store.faults import translated

REVISIONS = ("0001", "0002", "0003")
"""Every version of the tables there ever was, oldest first. Kept here so that opening reads no script."""

HEAD = REVISIONS[-1]
UPGRADE_TIMEOUT = 60_000
"""How long an upgrade waits for others who use the database, in milliseconds."""


def upgrade(url: str) -> bool:
    """Bring a database to the newest version; tells whether there was anything to do.

    Raises SchemaError for a database that a newer Scopekey has upgraded, and StoreUnavailableError.
    """
    database = Database(read_url(url), UPGRADE_TIMEOUT)
    try:
        with translated():
            return bring_to_head(database)
    finally:
        database.close()


def is_current(url: str) -> bool:
    """Tell whether a database is at the newest version. Raises SchemaError where it is beyond."""
    database = Database(read_url(url), UPGRADE_TIMEOUT)
    try:
        with translated():
            return at_head(database)
    finally:
        database.close()


def at_head(database: Database) -> bool:
    """Tell whether a database is at the newest version. Raises SchemaError where it is beyond."""
    with database.reading() as connection:
        return _revision(connection) == HEAD


def bring_to_head(database: Database) -> bool:
    """Upgrade in one transaction, one process at a time; tells whether there was anything to do."""
    with database.writing() as connection:
        lock_schema(connection)
        if _revision(connection) == HEAD:
            return False
        _run(connection)
        return True


def require_head(database: Database) -> None:
    """Raise SchemaError unless the database is at the newest version."""
    with database.reading() as connection:
        found = _revision(connection)
    if found is None:
        raise SchemaError("the database has no tables yet: run `scopekey db upgrade`")
    if found != HEAD:
        raise SchemaError("the database was made by an older Scopekey: run `scopekey db upgrade`")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found is not None and found not in REVISIONS:
        raise SchemaError("the database was upgraded by a newer Scopekey: install that version here too")
    return None if found is None else str(found)


def _run(connection: Connection) -> None:
    # Imported here: a database that is at head, the usual one, opens without it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    # A percent sign in a path is Alembic's own syntax.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    command.upgrade(config, "head")
