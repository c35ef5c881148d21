"""A database under a store: locks, forks, and tables of every version."""

# ruff: noqa: PT012 - a transaction is a block of statements, and its end may be what is refused

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from scopekey.store import migrate
from scopekey.store.dialect import Database, read_url
from scopekey.store.engine import Store
from scopekey.store.errors import (
    SchemaError,
    StoreUnavailableError,
)
from scopekey.store.log_tables import log
from tests.contract.store_made import add_key, key_row, list_names


def make_at(url, revision):
    """Make a database as an older version left it, with a row in it."""
    database = Database(read_url(url), 1_000)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('from_before', 'kept')")
    database.close()


class Databases:
    """What goes wrong is said, and changes nothing; older databases are upgraded with what is in them."""

    def test_a_lock_held_too_long_makes_the_store_unavailable_and_changes_nothing(self, store, impatient):
        add_key(store, "a", 3)
        with store.writing() as holder:
            holder.keys.get(key_row("a").key.id, lock=True)
            with pytest.raises(StoreUnavailableError), impatient.writing() as tx:
                tx.entries.append([b"{}"])
                tx.keys.get(key_row("a").key.id, lock=True)
            # Reading goes on.
            assert ["a"] == list_names(impatient)
        with store.reading() as tx:
            assert [] == tx.entries.newest(1)
        assert 4 == add_key(impatient, "b", 4)

    def test_a_child_process_opens_connections_of_its_own(self, store):
        add_key(store, "a", 3)
        child = os.fork()
        if child == 0:
            try:
                add_key(store, "b", 4)
                os._exit(0)
            finally:
                os._exit(1)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert 5 == add_key(store, "c", 5)

    def test_a_closed_store_can_be_used_again(self, store):
        store.close()
        assert [] == list_names(store)

    def test_a_database_is_upgraded_once(self, another_url):
        assert [False, True, True, False] == [
            migrate.is_current(another_url),
            migrate.upgrade(another_url),
            migrate.is_current(another_url),
            migrate.upgrade(another_url),
        ]

    @pytest.mark.parametrize("old", migrate.REVISIONS[:-1])
    def test_a_database_of_every_older_version_is_upgraded_with_what_is_in_it(self, another_url, old):
        make_at(another_url, old)
        assert not migrate.is_current(another_url)
        self.upgrade_older(another_url)
        assert migrate.is_current(another_url)
        store = Store.open(another_url)
        with store.reading() as tx:
            assert "kept" == tx.meta.get("from_before")
            context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
            assert [] == compare_metadata(context, log.metadata)
        store.close()

    def test_several_upgrades_at_once_are_one(self, another_url):
        together = threading.Barrier(3)

        def upgrade(_):
            together.wait()
            return migrate.upgrade(another_url)

        with ThreadPoolExecutor(3) as threads:
            assert [False, False, True] == sorted(threads.map(upgrade, range(3)))

    def test_the_migrations_make_the_tables_that_the_statements_expect(self, store):
        with store.reading() as tx:
            context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
            assert [] == compare_metadata(context, log.metadata)

    def test_tables_of_a_newer_version_are_refused(self, url, store):
        with store.writing() as tx:
            tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'zzzz'")
        store.close()
        for attempt in (Store.open, migrate.upgrade, migrate.is_current):
            with pytest.raises(SchemaError, match="newer Scopekey"):
                attempt(url)
