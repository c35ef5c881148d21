"""The LMDB index keeps the contract, and keeps it across processes, kills and forks."""

import os
import signal
from pathlib import Path

import lmdb
import pytest

from scopekey.replica.lmdb_index import LmdbIndex
from tests.contract.index import ORGANIZATION, REGISTER, RULES, IndexContract, apply, key, load
from tests.replica.beside import ask, finish

READER = """
while True:
    wait()
    found = index.key(key(1).id)
    say(index.now().generation, found and found.revoked)
"""


class TestLmdbIndex(IndexContract):
    pass


def test_every_process_sees_a_commit_as_soon_as_writing_has_returned(index, other):
    load(index, key(1))
    readers = [other(READER) for _ in range(3)]
    assert ["1 None"] * 3 == [ask(reader) for reader in readers]
    for revoked in range(50):
        apply(index, key(1, revoked=revoked))
        assert [f"1 {revoked}"] * 3 == [ask(reader) for reader in readers]


def test_every_process_moves_to_a_new_generation_at_its_next_read(index, other):
    readers = [other(READER) for _ in range(2)]
    assert ["0 None"] * 2 == [ask(reader) for reader in readers]
    for generation in range(1, 5):
        load(index, key(1, revoked=generation), position=generation)
        assert [f"{generation} {generation}"] * 2 == [ask(reader) for reader in readers]
    assert ["gen-4"] == [path.name for path in (Path(index._files.folder)).glob("gen-*")]


def test_a_writer_killed_in_the_middle_leaves_nothing_and_frees_the_lock(index, other):
    load(index, key(1))
    writer = other("""
with index.writing() as writer:
    writer.apply([change(at, key(1, revoked=at)) for at in range(2, 20_000)])
    say("ready")
    wait()
""")
    assert "ready" == writer.stdout.readline().strip()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert (key(1), 1) == (index.key(key(1).id), index.place().position)
    apply(index, key(2))
    assert (key(2), 2) == (index.key(key(2).id), index.place().position)


def test_a_loader_killed_in_the_middle_leaves_the_old_copy(index, other):
    load(index, key(1))
    writer = other("""
def endless():
    yield change(9, key(2))
    say("ready")
    wait()
with index.writing() as writer:
    writer.load(Place("feed", 9, mark(9)), endless())
""")
    assert "ready" == writer.stdout.readline().strip()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert (key(1), None) == (index.key(key(1).id), index.key(key(2).id))
    load(index, key(3))
    assert key(3) == index.key(key(3).id)


def test_a_reader_killed_in_the_middle_of_a_read_frees_its_slot(index, other):
    load(index, key(1))
    reader = other("""
index.key(key(1).id)
view = index._files.begin()
say("ready")
wait()
""")
    assert "ready" == reader.stdout.readline().strip()
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    assert str(reader.pid) in index._files.environment.readers()
    apply(index, key(2))
    assert str(reader.pid) not in index._files.environment.readers()


def test_a_mark_of_a_process_that_died_is_taken_back_by_who_brings_the_index_level(index, other):
    load(index, key(1))
    finish(other("index.pend(b'x' * 16, 30)"))
    index.pend(b"y" * 16, 40)
    assert 30 == index.behind_since()
    with index.writing():
        pass
    assert 40 == index.behind_since()


def test_what_a_killed_writer_committed_and_did_not_tell_is_told_by_the_next(index):
    load(index, ORGANIZATION)
    before = index.now()
    apply(index, REGISTER)
    index._files.page.write(*before)
    with index.writing():
        pass
    assert (before.epoch + 1, 2) == index.now()[1:]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_reads_and_writes_and_the_parent_goes_on(index):
    load(index, key(1))
    assert key(1) == index.key(key(1).id)
    child = os.fork()
    if child == 0:
        try:
            apply(index, key(1, revoked=index.key(key(1).id).created))
        finally:
            os._exit(0)
    assert 0 == os.waitpid(child, 0)[1]
    assert key(1).created == index.key(key(1).id).revoked
    apply(index, key(1, revoked=9))
    assert 9 == index.key(key(1).id).revoked


def test_two_indexes_of_one_path_share_what_is_open(index, tmp_path):
    load(index, key(1))
    twin = LmdbIndex(tmp_path / "replica" / ".." / "replica")
    assert (key(1), twin._files) == (twin.key(key(1).id), index._files)


def test_a_generation_that_is_published_while_another_one_is_opened_is_what_is_read(index, other, monkeypatch):
    load(index, key(1))
    files, renew = index._files, index._files.renew

    def overtaken():
        renewed = renew()
        if files.generation == 2:
            finish(other("load(index, key(1, revoked=3))"))
        return renewed

    assert key(1) == index.key(key(1).id)
    finish(other("load(index, key(1, revoked=2))"))
    monkeypatch.setattr(files, "renew", overtaken)
    assert 3 == index.key(key(1).id).revoked
    assert 3 == index.now().generation


def test_a_folder_that_was_replaced_is_noticed_within_a_look(index, other, tmp_path):
    load(index, key(1))
    assert key(1) == index.key(key(1).id)
    (tmp_path / "replica").rename(tmp_path / "gone")
    finish(other("load(index, key(1, revoked=7))"))
    index.behind_since()
    assert 7 == index.key(key(1).id).revoked
    apply(index, key(2))
    assert key(2) == index.key(key(2).id)


def test_a_full_file_applies_nothing(tmp_path):
    index = LmdbIndex(tmp_path / "replica", map_size=65_536)
    load(index, key(1))
    with pytest.raises(lmdb.MapFullError):
        apply(index, *(key(number) for number in range(5_000)))
    assert (1, None) == (index.place().position, index.key(key(3).id))
    apply(index, key(3))
    assert key(3) == index.key(key(3).id)
    index.close()


def test_a_map_that_another_process_made_larger_is_adopted(tmp_path, other):
    index = LmdbIndex(tmp_path / "replica", map_size=65_536)
    load(index, RULES, key(1))
    assert key(1) == index.key(key(1).id)
    finish(other("apply(index, *(key(number) for number in range(5_000)))"))
    assert key(4_999) == index.key(key(4_999).id)
    apply(index, key(1, revoked=1))
    assert 1 == index.key(key(1).id).revoked
    index.close()


def test_ten_thousand_ordinary_keys_take_at_most_120_bytes_each(index):
    load(index, *(key(number, grant=2**53, expires=1_800_000_000_000) for number in range(10_000)))
    file = Path(index._files.environment.path()) / "data.mdb"
    assert 120 >= file.stat().st_size / 10_000
