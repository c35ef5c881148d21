"""The store on a SQLite file, and what only a file can suffer."""

# ruff: noqa: PT012 - a transaction is a block of statements, and its end may be what is refused

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scopekey.store.engine import Store
from scopekey.store.errors import AnotherHistoryError, StoreUnavailableError
from tests.contract.store import StoreContract
from tests.contract.store_made import add_key, list_names, mark


class TestSqlite(StoreContract):
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "scopekey.db"

    @pytest.fixture
    def url(self, path):
        return f"sqlite:///{path}"

    @pytest.fixture
    def another_url(self, tmp_path):
        return f"sqlite:///{tmp_path / 'another.db'}"

    def upgrade_older(self, url):
        """Opening a file is enough."""
        Store.open(url).close()

    def test_the_file_and_what_stands_beside_it_belong_to_its_owner_alone(self, store, path):
        add_key(store, "a", 3)
        assert {"scopekey.db": 0o600, "scopekey.db-shm": 0o600, "scopekey.db-wal": 0o600} == {
            file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()
        }

    def test_every_commit_is_on_disk_before_it_counts(self, store):
        with store.writing() as tx:
            found = [
                tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
            ]
        assert ["wal", 2] == found

    def test_several_processes_make_the_same_file(self, another_url):
        together = threading.Barrier(4)

        def make(_):
            together.wait()
            store = Store.open(another_url)
            store.close()
            return store

        with ThreadPoolExecutor(4) as threads:
            for store in threads.map(make, range(4)):
                with store.reading() as tx:
                    assert tx.meta.get("feed_id") is None
                store.close()

    def test_an_older_copy_put_back_does_not_know_the_newer_place(self, store, path, url):
        add_key(store, "a", 3)
        store.close()
        shutil.copy(path, path.with_name("copy"))
        add_key(store, "b", 4)
        with store.reading() as tx:
            newer = tx.changes.place()
        store.close()
        shutil.move(path.with_name("copy"), path)
        restored = Store.open(url)
        with restored.reading() as tx, pytest.raises(AnotherHistoryError, match="never given"):
            tx.changes.after(newer, 10)
        # It gives the same position again, to another change.
        assert newer.position == add_key(restored, "c", 5)
        add_key(restored, "d", 6)
        with restored.reading() as tx:
            with pytest.raises(AnotherHistoryError, match="another mark"):
                tx.changes.after(newer, 10)
            assert 3 == len(tx.changes.after(("feed-one", 2, mark(2)), 10))
        restored.close()

    def test_a_full_disk_makes_the_store_unavailable_and_changes_nothing(self, store):
        add_key(store, "a", 3)
        with store.writing() as tx:
            pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
            tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreUnavailableError, match="SQLITE_FULL"):
            for number in range(500):
                add_key(store, f"x{number}", 4 + number, title="long" * 500)
        kept = list_names(store)
        with store.reading() as tx:
            place = tx.changes.place()
            told = [change.state.id for change in tx.changes.after(("feed-one", 2, mark(2)), 1_000)]
        assert (len(kept), len(kept)) == (place.position - 2, len(told))
        store.close()
        assert place.position + 1 == add_key(store, "room", 999)

    def test_a_damaged_file_makes_the_store_unavailable(self, store, path, url):
        add_key(store, "a", 3)
        store.close()
        path.write_bytes(b"not a database, and long enough to be taken for one" * 100)
        with pytest.raises(StoreUnavailableError):
            Store.open(url)

    def test_a_damaged_page_makes_the_store_unavailable(self, store, path):
        for number in range(60):
            add_key(store, f"{number}", 3 + number)
        store.close()
        content = bytearray(path.read_bytes())
        content[8192:] = b"\xff" * (len(content) - 8192)
        path.write_bytes(content)
        with pytest.raises(StoreUnavailableError):
            list_names(store)

    def test_a_folder_that_is_not_there_makes_the_store_unavailable(self, tmp_path):
        with pytest.raises(StoreUnavailableError):
            Store.open(f"sqlite:///{tmp_path / 'none' / 'scopekey.db'}")

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root:canary@host/db", "canary", ""])
    def test_a_url_of_another_kind_is_refused_without_repeating_its_password(self, url):
        with pytest.raises(ValueError, match="sqlite:///PATH") as caught:
            Store.open(url)
        assert "canary" not in str(caught.value)
