"""No damage to the file of the LMDB index goes unnoticed, and what is damaged is built again."""

import os
import re
from pathlib import Path

import lmdb
import pytest

from scopekey.replica.index import Place
from scopekey.replica.lmdb_file import DAMAGE_MARK
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.lmdb_writer import CATALOG
from scopekey.replica.lmdb_writer import ORGANIZATION as ORGANIZATION_NAME
from scopekey.replica.lmdb_writer import RULES as RULES_NAME
from scopekey.replica.place_row import PLACE
from scopekey.replica.record import DamagedRecordError, name_of, unseal
from tests.contract.index import ORGANIZATION, REGISTER, RULES, change, key, load, mark
from tests.replica.beside import ask, finish

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
