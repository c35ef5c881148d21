"""Older entries move to a folder that can be verified by itself, and nothing is dropped that is not there."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread, Timer

import pytest

from scopekey.audit.checkpoint import read_checkpoint
from scopekey.audit.merkle import leaf_hash, root_hash
from scopekey.audit.tiles import TILE_WIDTH, bundle_path, decode_bundle, node_of, tile_path, width_at
from scopekey.authority import archive_log as archive_log_module
from scopekey.authority.archive_log import archive_log
from scopekey.authority.seal_log import log_key
from tests.authority.home import SEED
from tests.authority.test_seal_log import arrive, bodies_of


def filled(home):
    """A good thousand entries that were sealed a day ago."""
    arrive(home, 1_100)
    home.seal()
    home.now += 86_400_000


@pytest.fixture
def old_on_either(either):
    """The same on both databases."""
    filled(either)
    return either


@pytest.fixture
def old(home):
    """600 entries that were sealed, and five more a day later."""
    arrive(home, 600)
    home.seal()
    home.now += 86_400_000
    arrive(home, 5, first=600)
    home.seal()
    return home


def test_whole_bundles_that_were_sealed_before_the_moment_are_moved(old, tmp_path):
    before = bodies_of(old)
    assert (0, 512) == archive_log(old.store, tmp_path, before=old.now)
    moved = [body for number in (0, 1) for body in decode_bundle((tmp_path / bundle_path(number)).read_bytes())]
    assert before == moved + bodies_of(old)
    assert not (tmp_path / bundle_path(2)).exists()


def test_moving_again_moves_nothing_and_changes_nothing(old, tmp_path):
    archive_log(old.store, tmp_path, before=old.now)
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    assert (512, 512) == archive_log(old.store, tmp_path, before=old.now)
    unchanged = {file: moment for file, moment in files.items() if file.name != "checkpoint"}
    assert unchanged.items() <= {file: file.stat().st_mtime_ns for file in files}.items()


def test_the_folder_proves_itself_with_the_public_key_alone(old, tmp_path):
    archive_log(old.store, tmp_path, before=old.now)
    with old.store.reading() as tx:
        checkpoint = read_checkpoint((tmp_path / "checkpoint").read_text(), log_key(tx, SEED))

    def tile(level, number):
        return (tmp_path / tile_path(level, number, width_at(level, number, checkpoint.size))).read_bytes()

    assert checkpoint.root == root_hash(checkpoint.size, node_of(tile))
    entries = decode_bundle((tmp_path / bundle_path(0)).read_bytes())
    assert b"".join(map(leaf_hash, entries)) == tile(0, 0)


def test_entries_that_were_changed_stay_where_they_are(old, tmp_path):
    with old.store.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE entries SET body = X'7b7d' WHERE log_index = 300")
    with pytest.raises(ValueError, match="entries from 256 on are not those that were sealed"):
        archive_log(old.store, tmp_path, before=old.now)
    with old.store.reading() as tx:
        assert 0 == tx.log.state().archived


def test_a_folder_of_another_log_is_refused_and_nothing_is_dropped(old, tmp_path):
    file = tmp_path / bundle_path(0)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"another log's")
    with pytest.raises(FileExistsError, match="holds something else"):
        archive_log(old.store, tmp_path, before=old.now)
    assert 605 < len(bodies_of(old))


def test_a_folder_that_cannot_be_written_drops_nothing(old, tmp_path):
    (tmp_path / "tile").write_text("a file in the way")
    with pytest.raises(OSError, match="tile"):
        archive_log(old.store, tmp_path, before=old.now)
    assert 605 < len(bodies_of(old))


def test_an_empty_log_has_nothing_to_move(empty, tmp_path):
    assert (0, 0) == archive_log(empty.store, tmp_path, before=empty.now)
    assert not (tmp_path / "checkpoint").exists()


def test_two_that_move_at_once_move_everything_once_and_neither_fails(old_on_either, tmp_path, monkeypatch):
    """The smallest steps, so that they meet: each finds now and then that the other was faster."""
    home = old_on_either
    monkeypatch.setattr(archive_log_module, "AT_ONCE", TILE_WIDTH)
    before = bodies_of(home)
    together = Barrier(2)

    def move(_):
        together.wait()
        return archive_log(home.store, tmp_path, before=home.now)[1]

    with ThreadPoolExecutor(2) as threads:
        assert [1024, 1024] == list(threads.map(move, range(2)))
    moved = [body for number in range(4) for body in decode_bundle((tmp_path / bundle_path(number)).read_bytes())]
    with home.store.reading() as tx:
        assert 1024 == tx.log.state().archived
    assert before == moved + bodies_of(home)[: len(before) - 1024]


@pytest.mark.postgres
def test_who_seals_meanwhile_is_waited_for(postgres_home, tmp_path):
    """What is dropped must not depend on whether the log was held just then."""
    filled(postgres_home)
    held, go = Event(), Event()

    def seal_slowly():
        with postgres_home.store.writing() as tx:
            assert tx.log.hold() is not None
            held.set()
            assert go.wait(10)

    sealing = Thread(target=seal_slowly)
    sealing.start()
    assert held.wait(10)
    timer = Timer(0.3, go.set)
    timer.start()
    assert (0, 1024) == archive_log(postgres_home.store, tmp_path, before=postgres_home.now)
    sealing.join()
    with postgres_home.store.reading() as tx:
        assert 1024 == tx.log.state().archived
