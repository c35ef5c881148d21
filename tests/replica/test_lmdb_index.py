"""The LMDB index keeps the contract, and keeps it across processes, kills, forks and damage."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from scopekey.replica import kept
from scopekey.replica.index import Place
from scopekey.replica.lmdb_file import DAMAGE_MARK
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.lmdb_writer import CATALOG
from scopekey.replica.lmdb_writer import ORGANIZATION as ORGANIZATION_NAME
from scopekey.replica.lmdb_writer import RULES as RULES_NAME
from scopekey.replica.place_row import PLACE
from scopekey.replica.record import DamagedRecordError, name_of, unseal
from tests.contract.index import ORGANIZATION, REGISTER, RULES, IndexContract, apply, change, key, load, mark

ROOT = Path(__file__).parents[2]
PRELUDE = """
import os, signal, sys
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.index import Place
from tests.contract.index import *
index = LmdbIndex(sys.argv[1])
def say(*words): print(*words, flush=True)
def wait(): sys.stdin.readline()
"""


@pytest.fixture
def index(tmp_path):
    index = LmdbIndex(tmp_path / "replica")
    yield index
    index.close()


@pytest.fixture
def other(tmp_path):
    """Start programs in processes of their own; whatever kills them does not kill pytest."""
    started = []

    def start(program):
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + program, str(tmp_path / "replica")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ask(process):
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def finish(process):
    out, err = process.communicate(timeout=60)
    assert (0, "") == (process.returncode, err if process.returncode else "")
    return out.split()


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


DAMAGES = {
    "truncated": lambda file: os.truncate(file, file.stat().st_size // 2 // 4096 * 4096),
    "cut to its head": lambda file: os.truncate(file, 8192),
    "cut within its head": lambda file: os.truncate(file, 100),
    "empty": lambda file: os.truncate(file, 0),
    "garbage": lambda file: file.write_bytes(b"garbage!" * 4096),
    "missing": lambda file: file.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_noticed_said_set_aside_and_built_again(other, tmp_path, damage):
    finish(other("load(index, REGISTER, *(key(number) for number in range(5_000)))"))
    DAMAGES[damage](tmp_path / "replica" / "gen-1" / "data.mdb")
    reader = other("""
said = []
index._files.on_damage = said.append
say(index.register(), index.key(key(1).id), index.place(), len(said), "gen-1 is damaged" in said[0])
wait()
say(index.now().generation, index.key(key(1).id) == key(1))
""")
    assert "None None None 1 True" == reader.stdout.readline().strip()
    said = finish(
        other("""
with index.writing() as writer:
    say(writer.place())
load(index, REGISTER, key(1))
say(index.register() == REGISTER, index.key(key(1).id) == key(1))
""")
    )
    assert ["None", "True", "True"] == said
    assert "2 True" == ask(reader)
    assert 1 == len(list((tmp_path / "replica").glob("gen-1.damaged-*")))


class Rows:
    """The file of a loaded index, in which the bits of a row can be changed while it is open."""

    def __init__(self, index):
        self.index = index
        self.folder = index._files.folder
        self.said = []
        index._files.on_damage = self.said.append
        load(index, REGISTER, RULES, ORGANIZATION, key(1))
        self.file = Path(index._files.environment.path()) / "data.mdb"
        self.mark = self.file.with_name(DAMAGE_MARK)

    def flips(self, name):
        """Change each bit of a row's value in turn, in every place of the file where it stands."""
        row, data = self.index._get(name), self.file.read_bytes()
        places = [match.start() for match in re.finditer(re.escape(row), data)]
        for at in range(8 * len(row)):
            flipped = (int.from_bytes(row, "little") ^ 1 << at).to_bytes(len(row), "little")
            self._write(places, flipped)
            yield flipped
            self._write(places, row)
            self.mark.unlink()

    def _write(self, places, row):
        with self.file.open("r+b") as file:
            for place in places:
                file.seek(place)
                file.write(row)


READS = {
    "key": (name_of(key(1).id), lambda index: index.key(key(1).id)),
    "organization": (ORGANIZATION_NAME + ORGANIZATION.id.encode(), lambda index: index.organization(ORGANIZATION.id)),
    "catalog": (CATALOG, LmdbIndex.register),
    "rules": (RULES_NAME, LmdbIndex.rules),
}


@pytest.mark.parametrize("row", READS)
def test_no_bit_of_a_row_can_change_unnoticed(index, row):
    name, read = READS[row]
    rows = Rows(index)
    expected = read(index)
    for flipped in rows.flips(name):
        # One that has kept nothing.
        fresh = LmdbIndex(rows.folder)
        assert flipped == fresh._get(name)
        with pytest.raises(DamagedRecordError):
            read(fresh)
        assert rows.mark.exists()
    assert expected == read(LmdbIndex(rows.folder))
    assert all("gen-1 is damaged and must be built again" in said for said in rows.said)


@pytest.mark.parametrize("row", READS)
def test_a_flipped_bit_has_the_index_built_again(index, row):
    name, read = READS[row]
    rows = Rows(index)
    expected = read(index)
    next(rows.flips(name))
    with pytest.raises(DamagedRecordError):
        read(LmdbIndex(rows.folder))
    assert 1 == len(rows.said)
    with index.writing() as writer:
        assert None is writer.place()
        writer.load(Place("feed", 1, mark(1)), [change(1, one) for one in (REGISTER, RULES, ORGANIZATION, key(1))])
    assert (2, expected) == (index.now().generation, read(index))


def test_no_bit_of_the_place_can_change_unnoticed_and_without_it_the_index_is_nowhere(index):
    rows = Rows(index)
    for _ in rows.flips(PLACE):
        assert None is index.place()
        assert rows.mark.exists()
    assert Place("feed", 1, mark(1)) == index.place()
    next(rows.flips(PLACE))
    with index.writing() as writer:
        assert None is writer.place()


def written_by_the_version_before(index):
    """An index whose rows have no checksums, as they were written once."""
    load(index, REGISTER, key(1))
    with index._files.environment.begin(write=True) as transaction:
        transaction.put(PLACE, bytes((1,)) + unseal(PLACE, transaction.get(PLACE))[1:])
        for name, form in ((name_of(key(1).id), b"\x01"), (CATALOG, b"")):
            transaction.put(name, form + unseal(name, transaction.get(name))[len(form) :])
    index.close()


def test_an_index_of_the_version_before_is_empty_and_built_again_and_not_called_damaged(index):
    said = []
    index._files.on_damage = said.append
    written_by_the_version_before(index)
    assert (None, None, None) == (index.register(), index.key(key(1).id), index.place())
    with index.writing() as writer:
        assert None is writer.place()
    (words,) = said
    assert "gen-1 is of an earlier version and must be built again" in words
    assert "damaged" not in words
    load(index, key(2))
    assert (2, key(2)) == (index.now().generation, index.key(key(2).id))
    assert ["gen-2"] == [path.name for path in Path(index._files.folder).glob("gen-*")]


def test_an_index_of_the_version_before_stays_until_the_new_one_is_whole(index):
    written_by_the_version_before(index)
    with pytest.raises(ZeroDivisionError), index.writing() as writer:
        writer.load(Place("feed", 2, mark(2)), (change(1 // 0, key(1)) for _ in "x"))
    assert ["gen-1"] == [path.name for path in Path(index._files.folder).glob("gen-*")]


def test_damage_is_said_in_the_log(tmp_path, caplog):
    folder = tmp_path / "replica"
    (folder / "gen-3").mkdir(parents=True)
    (folder / "CURRENT").write_text("gen-3\n")
    index = LmdbIndex(folder)
    with index.writing() as writer:
        assert None is writer.place()
    assert "gen-3 is damaged and was set aside as gen-3.damaged-" in caplog.text
    load(index, key(1))
    assert (4, key(1)) == (index.now().generation, index.key(key(1).id))
    index.close()


@pytest.mark.parametrize("file", ["control", "CURRENT", "lock/data.mdb"])
@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_damaged_file_beside_the_generations_costs_a_rebuild_at_most(other, tmp_path, file, content):
    finish(other("load(index, key(1))"))
    (tmp_path / "replica" / file).write_bytes(content)
    said = finish(
        other("""
found = index.key(key(1).id)
say(found in (None, key(1)))
with index.writing() as writer:
    if writer.place() is None:
        writer.load(Place("feed", 2, mark(2)), [change(2, key(2))])
    else:
        writer.apply([change(2, key(2))])
say(index.key(key(2).id) == key(2))
""")
    )
    assert ["True", "True"] == said


def test_a_key_is_read_once_for_each_change_of_the_index(index, other, monkeypatch):
    load(index, key(1), key(2))
    reads = []
    begin = index._files.begin
    monkeypatch.setattr(index._files, "begin", lambda: reads.append(1) or begin())
    assert [key(1)] * 3 == [index.key(key(1).id) for _ in range(3)]
    assert 1 == len(reads)
    finish(other("apply(index, key(2, revoked=7))"))
    assert [key(1), 7] == [index.key(key(1).id), index.key(key(2).id).revoked]
    assert 3 == len(reads)


def test_a_key_that_is_not_there_is_never_kept(index):
    load(index, key(1))
    assert [None, None] == [index.key(key(2).id) for _ in range(2)]
    assert {} == index._kept.keys


def test_many_different_keys_do_not_grow_memory(index, monkeypatch):
    monkeypatch.setattr(kept, "MOST_KEPT", 3)
    load(index, *(key(number) for number in range(20)))
    for number in range(20):
        assert key(number) == index.key(key(number).id)
        assert 3 >= len(index._kept.keys)


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


def test_what_a_reader_reads_while_it_is_overtaken_by_a_change_is_not_kept_for_later(index, monkeypatch):
    load(index, key(1))
    begin = index._files.begin

    def overtaken():
        monkeypatch.setattr(index._files, "begin", begin)
        view = begin()
        apply(index, key(1, revoked=5))
        index.now()
        return view

    monkeypatch.setattr(index._files, "begin", overtaken)
    assert key(1) == index.key(key(1).id)
    assert 5 == index.key(key(1).id).revoked


def test_a_folder_that_was_replaced_is_noticed_within_a_look(index, other, tmp_path):
    load(index, key(1))
    assert key(1) == index.key(key(1).id)
    (tmp_path / "replica").rename(tmp_path / "gone")
    finish(other("load(index, key(1, revoked=7))"))
    index.behind_since()
    assert 7 == index.key(key(1).id).revoked
    apply(index, key(2))
    assert key(2) == index.key(key(2).id)


def test_a_file_of_an_earlier_boot_is_read_as_behind_and_not_built_upon(tmp_path):
    def at(boot):
        return LmdbIndex(tmp_path / "replica", boot=boot, clock=lambda: 123)

    earlier = at("first boot")
    load(earlier, key(1))
    assert None is earlier.behind_since()
    earlier.close()
    del earlier
    index = at("second boot")
    assert (key(1), 123) == (index.key(key(1).id), index.behind_since())
    with index.writing() as writer:
        assert None is writer.place()
    assert 123 == index.behind_since()
    load(index, key(1))
    assert None is index.behind_since()
    index.close()


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


def test_a_read_that_finds_damage_raises_and_the_next_writer_sets_the_file_aside(index, monkeypatch):
    def damaged():
        raise lmdb.CorruptedError("a page is not what it should be")

    load(index, key(1))
    assert None is index.key(key(2).id)
    index._files.on_damage = lambda message: None
    monkeypatch.setattr(index._files, "begin", damaged)
    with pytest.raises(lmdb.CorruptedError):
        index.key(key(1).id)
    with index.writing() as writer:
        assert None is writer.place()
        writer.load(Place("feed", 3, mark(3)), [])
    assert (2, None) == (index.now().generation, index.key(key(1).id))


def test_ten_thousand_ordinary_keys_take_at_most_120_bytes_each(index):
    load(index, *(key(number, grant=2**53, expires=1_800_000_000_000) for number in range(10_000)))
    file = Path(index._files.environment.path()) / "data.mdb"
    assert 120 >= file.stat().st_size / 10_000
