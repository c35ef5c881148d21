"""The store on a real PostgreSQL, and what only a server with many writers can show."""

# ruff: noqa: PT012 - a transaction is a block of statements, and its end may be what is refused

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from scopekey.store import migrate
from scopekey.store.engine import Store
from scopekey.store.errors import SchemaError, StoreUnavailableError
from tests.contract.store import StoreContract
from tests.contract.store_made import add_key, announce, give_up, key_row, list_names, mark

pytestmark = pytest.mark.postgres


def wait_for_a_lock(url):
    """Wait until some connection of the database waits for another one's lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + 10
        while not connection.execute(waiting).fetchone()[0]:
            assert time.monotonic() < deadline


class TestPostgresql(StoreContract):
    @pytest.fixture
    def url(self, postgres_url):
        migrate.upgrade(postgres_url)
        return postgres_url

    @pytest.fixture
    def another_url(self, postgres_url):
        return postgres_url

    def upgrade_older(self, url):
        """Opening it names the command, as which this runs."""
        with pytest.raises(SchemaError, match="scopekey db upgrade"):
            Store.open(url)
        assert migrate.upgrade(url)

    @pytest.mark.parametrize("commits", [True, False], ids=["who commits", "who rolls back"])
    def test_who_announces_second_waits_for_who_announced_first(self, store, url, commits):
        """A began and wrote first, B announced first: B has the earlier position, if it commits."""
        begun, go = threading.Event(), threading.Event()

        def a():
            with store.writing() as tx:
                tx.keys.insert(key_row("a"))
                begun.set()
                assert go.wait(10)
                return announce(tx, ("key", key_row("a").key.id), first_mark=50)

        with ThreadPoolExecutor(1) as threads:
            positions = threads.submit(a)
            assert begun.wait(10)
            with suppress(ZeroDivisionError), store.writing() as tx:
                tx.keys.insert(key_row("b"))
                assert [3] == announce(tx, ("key", key_row("b").key.id), first_mark=60)
                go.set()
                wait_for_a_lock(url)
                if not commits:
                    give_up()
            assert [4 if commits else 3] == positions.result()
        with store.reading() as tx:
            told = [(change.position, change.state.id) for change in tx.changes.after(("feed-one", 2, mark(2)), 9)]
        b_then_a = [(3, key_row("b").key.id), (4, key_row("a").key.id)]
        assert (b_then_a if commits else [(3, key_row("a").key.id)]) == told

    def test_a_database_without_the_tables_names_the_command_that_makes_them(self, postgres_url):
        with pytest.raises(SchemaError, match="scopekey db upgrade"):
            Store.open(postgres_url)

    def test_a_key_that_is_read_without_writing_takes_no_lock(self, store):
        add_key(store, "a", 3)
        with store.reading() as tx:
            assert key_row("a").key == tx.keys.get(key_row("a").key.id, lock=True).key

    def test_connections_cut_by_the_server_are_replaced(self, store, url):
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        cut = f"SELECT pg_terminate_backend(pid) {others}"
        with pytest.raises(StoreUnavailableError), store.writing() as tx:
            tx.keys.insert(key_row("a"))
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(cut)
            announce(tx, ("key", key_row("a").key.id), first_mark=3)
        assert [] == list_names(store)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(cut)
        assert 3 == add_key(store, "b", 4)

    def test_a_log_that_may_not_be_written_makes_no_change(self, store, url):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS limited")
            connection.execute("CREATE ROLE limited LOGIN")
            connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited")
            connection.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO limited")
            connection.execute("REVOKE INSERT ON arrivals FROM limited")
        limited = Store.open(url.replace("postgres:@", "limited:@"))
        with pytest.raises(StoreUnavailableError), limited.writing() as tx:
            tx.keys.insert(key_row("a"))
            announce(tx, ("key", key_row("a").key.id), first_mark=3)
            tx.entries.append([b"{}"])
        limited.close()
        assert [] == list_names(store)

    def test_a_server_that_is_not_there_makes_the_store_unavailable(self, tmp_path):
        with pytest.raises(StoreUnavailableError):
            Store.open(f"postgresql://postgres:canary@/db?host={tmp_path}")
