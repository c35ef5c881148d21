"""Promise: a replica that was cut, changed, lost or put back never lets a revoked key pass, and is built anew."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from scopekey.replica.freshness import Level
from scopekey.replica.index import Place
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.record import UnreadableRecordError
from tests.contract.index import ORGANIZATION, REGISTER, RULES, apply, change, key, load, mark

ROOT = Path(__file__).parents[2]
PAGE = 4096
LIVE, REVOKED = key(1), key(1, revoked=5)


@pytest.fixture
def told():
    return []


@pytest.fixture
def index(tmp_path, told):
    index = LmdbIndex(tmp_path / "replica", on_damage=told.append)
    yield index
    index.close()


def data_of(replica):
    return replica / (replica / "CURRENT").read_text().strip() / "data.mdb"


def in_place(copy, file):
    """Write the copy's bytes into the file that is open elsewhere, without ever making it shorter."""
    content = copy.read_bytes()
    with file.open("r+b") as opened:
        opened.write(content)


def renamed(copy, file):
    fresh = file.with_name("copied")
    shutil.copyfile(copy, fresh)
    fresh.replace(file)


def revoked_after_a_copy(index, tmp_path):
    load(index, REGISTER, RULES, ORGANIZATION, LIVE)
    shutil.copytree(tmp_path / "replica", tmp_path / "older")
    apply(index, key(2), REVOKED)
    assert REVOKED == index.key(LIVE.id)


@pytest.mark.parametrize("put_back", [in_place, renamed])
def test_an_older_file_put_back_while_it_is_open_is_noticed_at_the_next_look(index, tmp_path, told, put_back):
    revoked_after_a_copy(index, tmp_path)
    replica = tmp_path / "replica"
    put_back(data_of(tmp_path / "older"), data_of(replica))
    if put_back is renamed:
        # This process still reads what it has open: the one that opens next is the one that would be misled.
        index.close()
    index.look()
    assert (None, (0, 0, 0)) == (index.key(LIVE.id), index.now())
    assert "damaged" in told[0]
    assert not index.sound()
    with index.writing() as writer:
        assert writer.place() is None, "nothing is built on it"
        writer.load(Place("feed", 3, mark(3)), [change(3, REVOKED)])
    assert (REVOKED, True) == (index.key(LIVE.id), index.sound())


def test_without_the_look_the_older_file_would_be_believed(index, tmp_path):
    """The control of the test above."""
    revoked_after_a_copy(index, tmp_path)
    index.close()
    renamed(data_of(tmp_path / "older"), data_of(tmp_path / "replica"))
    index._files._notice_older = lambda: False
    assert LIVE == index.key(LIVE.id)


def test_a_writer_builds_nothing_on_an_older_file(index, tmp_path, told):
    revoked_after_a_copy(index, tmp_path)
    index.close()
    renamed(data_of(tmp_path / "older"), data_of(tmp_path / "replica"))
    index._files._notice_older = lambda: False
    with index.writing() as writer:
        assert writer.place() is None
    assert "was at 3" in told[0]
    assert index.key(LIVE.id) is None


def test_a_whole_older_folder_put_back_under_a_process_is_noticed_by_what_it_has_seen(index, tmp_path):
    revoked_after_a_copy(index, tmp_path)
    index.look()
    (tmp_path / "replica").rename(tmp_path / "newer")
    (tmp_path / "older").rename(tmp_path / "replica")
    index.look()
    assert (None, (0, 0, 0)) == (index.key(LIVE.id), index.now())


def test_a_whole_older_folder_put_back_between_two_starts_is_as_old_as_it_says(index, tmp_path):
    """Nothing here can know better: what it says of its own age is what bounds how long it is believed."""
    load(index, LIVE)
    index.leveled(Level(100, 50))
    index.close()
    shutil.copytree(tmp_path / "replica", tmp_path / "older")
    apply(index, REVOKED)
    index.leveled(Level(900, 850))
    index.close()
    shutil.rmtree(tmp_path / "replica")
    (tmp_path / "older").rename(tmp_path / "replica")
    started = LmdbIndex(tmp_path / "replica" / ".", on_damage=print)
    started._files._reached = (-1, 0)
    assert (LIVE, Level(100, 50)) == (started.key(LIVE.id), started.level())


def test_what_goes_on_is_no_older_copy(index, told):
    load(index, LIVE)
    for at in range(5):
        index.look()
        apply(index, key(at + 2))
        index.look()
    # A store that went back in time has another history, at a lower position, and in a generation of its own.
    load(index, REVOKED, position=2)
    index.look()
    assert ([], REVOKED, 2) == (told, index.key(LIVE.id), index.now().position)


def test_a_lost_control_page_is_made_anew_and_nothing_counts_as_older(index, tmp_path, told):
    load(index, LIVE)
    apply(index, REVOKED)
    index.look()
    (tmp_path / "replica" / "control").unlink()
    index.look()
    with index.writing() as writer:
        assert 2 == writer.place().position
    index.look()
    assert (["lost"], REVOKED) == (
        [word for said in told for word in ("lost", "damaged") if word in said],
        index.key(LIVE.id),
    )


@pytest.mark.parametrize("lost", ["everything", "control"])
def test_what_was_lost_under_a_process_is_said_so_that_somebody_builds_it(index, tmp_path, told, lost):
    load(index, LIVE)
    index.look()
    if lost == "control":
        (tmp_path / "replica" / "control").unlink()
    else:
        shutil.rmtree(tmp_path / "replica")
    index.look()
    assert ["was lost" in message for message in told] == [True]
    index.look()
    assert 1 == len(told), "the same thing is not said at every look"


def test_damage_that_nobody_mended_is_said_again_after_a_while(index, tmp_path, told, monkeypatch):
    load(index, LIVE)
    index._files.complain("it is damaged")
    index._files.complain("it is damaged")
    assert ["it is damaged"] == told
    monkeypatch.setattr("scopekey.replica.lmdb_files._SAY_AGAIN", 0.0)
    index._files.complain("it is damaged")
    assert ["it is damaged"] * 2 == told


def test_an_index_that_never_was_is_not_lost(index, told):
    index.look()
    assert [] == told


READER = """
import sys
from scopekey.replica.lmdb_index import LmdbIndex
from tests.contract.index import *
for line in sys.stdin:
    index = LmdbIndex(line.strip(), on_damage=lambda _: None)
    try:
        found = index.key(key(1).id)
        print("allowed" if found and found.revoked is None else "refused", flush=True)
    except Exception:
        print("refused", flush=True)
"""


class Reader:
    """A process that reads replicas; one that is ended by a page that is gone (SIGBUS) is started again."""

    def __init__(self):
        self.ended = 0
        self.process = None

    def ask(self, replica):
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", READER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        try:
            self.process.stdin.write(f"{replica}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.close()
            self.ended += 1
        return answer or "refused"

    def close(self):
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.communicate()


@pytest.fixture
def reader():
    reader = Reader()
    yield reader
    reader.close()


def damaged(whole, tmp_path, change):
    """A copy of a replica, its file changed."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(whole, copy)
    change(data_of(copy))
    return copy


def flipped(random):
    def flip(file):
        content = bytearray(file.read_bytes())
        for _ in range(random.choice([1, 1, 3, 30])):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        file.write_bytes(content)

    return flip


def test_a_file_cut_anywhere_or_with_bits_changed_never_allows_what_was_revoked(index, tmp_path, reader):
    drawn = random.Random(20)
    load(index, REGISTER, RULES, ORGANIZATION, *(key(number) for number in range(1, 300)))
    apply(index, REVOKED)
    index.close()
    whole = tmp_path / "replica"
    assert "refused" == reader.ask(whole)
    size = data_of(whole).stat().st_size
    cuts = [*range(0, size, PAGE), *(drawn.randrange(size) for _ in range(20))]
    changes = [lambda file, at=at: os.truncate(file, at) for at in cuts] + [flipped(drawn) for _ in range(150)]
    # Each copy has a path of its own, so that the reading process opens it anew.
    answers = []
    for number, how in enumerate(changes):
        copy = damaged(whole, tmp_path, how).rename(tmp_path / f"copy{number}")
        answers.append(reader.ask(copy))
        shutil.rmtree(copy)
    assert {"refused"} == set(answers)


def test_the_same_changes_leave_some_readable(index, tmp_path, reader):
    """The control of the test above: where the key is live, it is allowed, also in files that were changed."""
    drawn = random.Random(20)
    load(index, *(key(number) for number in range(1, 300)))
    index.close()
    answers = []
    for number in range(20):
        copy = damaged(tmp_path / "replica", tmp_path, flipped(drawn)).rename(tmp_path / f"copy{number}")
        answers.append(reader.ask(copy))
        shutil.rmtree(copy)
    assert "allowed" in answers


def test_what_was_damaged_under_an_open_index_is_refused_and_built_anew_by_the_next_writer(index, tmp_path):
    drawn = random.Random(7)
    for position in range(5, 25):
        load(index, REGISTER, *(key(number) for number in range(2, 60)), REVOKED, position=position)
        content = bytearray(data_of(tmp_path / "replica").read_bytes())
        for _ in range(20):
            content[drawn.randrange(2 * PAGE, len(content))] ^= 0xFF
        with data_of(tmp_path / "replica").open("r+b") as opened:
            opened.write(content)
        try:
            found = index.key(LIVE.id)
        except (lmdb.Error, UnreadableRecordError):
            found = None
        assert found in {None, REVOKED}
    load(index, REVOKED, position=99)
    assert (REVOKED, True) == (index.key(LIVE.id), index.sound())
