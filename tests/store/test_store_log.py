"""A log in a store is verified: what stands beside the bodies is compared with them, and never believed."""

import pytest

from scopekey.audit.entry import canonical
from scopekey.audit.report import Broken, Intact
from scopekey.audit.verify import verify_log
from scopekey.authority.archive_log import archive_log
from scopekey.client.log_folder import LogFolder
from scopekey.store.engine import Store
from scopekey.store.store_log import StoreLog
from tests.contract.sealed import LOG_KEY, OTHER, decision, seal_entries


@pytest.fixture
def store(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'scopekey.db'}")
    for first in (0, 300, 305):
        seal_entries(store, *map(decision, range(first, first + 300 if first == 0 else first + 5)))
    yield store
    store.close()


def verified(store, bundle=None):
    with store.reading() as tx:
        return verify_log(StoreLog(tx, bundle), LOG_KEY)


def tamper(store, statement, *values):
    with store.writing() as tx:
        tx.connection.exec_driver_sql(statement, values)


def test_a_store_that_nobody_touched_is_intact(store):
    found = verified(store)
    assert isinstance(found, Intact)
    assert (310, 3, 0) == (found.size, found.checkpoints, found.read_from)


CHANGES = [
    ("UPDATE entries SET organization = ? WHERE log_index = 7", (OTHER,), "organization"),
    ("UPDATE entries SET key = NULL WHERE log_index = 7", (), "key"),
    ("UPDATE entries SET outcome = 'allowed', action = 'x' WHERE log_index = 8", (), "action"),
    ("UPDATE entries SET at = at + 1 WHERE log_index = 9", (), "at"),
    ("UPDATE entries SET body = ? WHERE log_index = 7", (b"nothing",), "does not fit the hash"),
    ("UPDATE entries SET body = ? WHERE log_index = 7", (b"\xff{}",), "does not fit the hash"),
    ("UPDATE entries SET body = CAST(body AS TEXT) WHERE log_index = 7", (), "does not fit the hash"),
    ("UPDATE entries SET body = ? WHERE log_index = 7", (canonical(decision(7, object="x")),), "7"),
    ("DELETE FROM entries WHERE log_index = 7", (), "entry 7 is gone"),
    ("DELETE FROM entries WHERE log_index > 308", (), "entry 309 is gone"),
    ("UPDATE entries SET log_index = 400 WHERE log_index = 7", (), "entry 7 is gone"),
    ("DELETE FROM tiles WHERE level = 1", (), "tile/1/000"),
]


@pytest.mark.parametrize(("statement", "values", "told"), CHANGES)
def test_every_change_of_a_row_is_found_and_named(store, statement, values, told):
    tamper(store, statement, *values)
    found = verified(store)
    assert isinstance(found, Broken)
    assert told in found.why


def test_a_moved_column_is_named_before_a_later_entry_that_was_changed(store):
    tamper(store, "UPDATE entries SET body = ? WHERE log_index = 290", canonical(decision(1)))
    tamper(store, "UPDATE entries SET key = NULL WHERE log_index = 280")
    assert 280 == verified(store).index


def test_the_archive_and_the_store_are_verified_as_one_log(store, tmp_path):
    archive_log(store, tmp_path / "archive", before=10**15)
    assert (256, 54) == (verified(store).read_from, verified(store).size - verified(store).read_from)
    folder = LogFolder(tmp_path / "archive")
    assert (0, 310) == (verified(store, folder.entries).read_from, verified(store, folder.entries).size)
    bundle = tmp_path / "archive" / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"req_7", b"req_8"))
    assert 7 == verified(store, folder.entries).index
    bundle.write_bytes(b"\0")
    assert 0 == verified(store, folder.entries).index
    bundle.unlink()
    assert "the entries from 0 to" in verified(store, folder.entries).why
