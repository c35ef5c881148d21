"""What a journal does where its disk fails, is slow, is full or may not be written, and how it goes on."""

import asyncio
import os
import threading
import time

import pytest

from scopekey.replica.carrier import Carrier
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.journal import DONE, JournalUnavailableError
from tests.replica.journals import NODE, Disk, Ledger, batches_in, event, journal_in, numbers_in, until


def refused(journal, *, within=0.4, asked=None):
    begun = time.monotonic()
    with pytest.raises(JournalUnavailableError):
        journal.append(asked or event()).wait()
    assert time.monotonic() - begun < within
    return True


async def _await(journal):
    await journal.append(event())


@pytest.mark.parametrize("fault", ["write", "sync"])
def test_where_the_disk_fails_who_must_wait_is_refused_and_it_goes_on_by_itself(folder, fault, caplog):
    disk = Disk(fault)
    journal = journal_in(folder, mode="strict", disk=disk)
    for _ in range(3):
        refused(journal)
    with pytest.raises(JournalUnavailableError):
        asyncio.run(_await(journal))
    disk.fails.clear()
    until(lambda: not journal._failing)
    journal.append(event(7)).wait()
    journal.close()
    assert 7 == numbers_in(folder)[-1]
    assert 0 == journal.lost
    assert 1 == caplog.text.count("decisions cannot be written")
    assert 1 == caplog.text.count("decisions are written again")


def test_a_write_that_got_half_way_is_taken_back(folder):
    disk = Disk("write", half=True)
    journal = journal_in(folder, mode="strict", disk=disk)
    refused(journal)
    disk.fails.clear()
    until(lambda: not journal._failing)
    journal.append(event(2)).wait()
    journal.close()
    assert [1, 2] == numbers_in(folder), "the decision that was answered with 503 may be there, and once"
    assert 1 == len(list(folder.iterdir()))


@pytest.mark.parametrize("fails", [("sync",), ("write", "cut")])
def test_a_file_that_cannot_be_trusted_is_followed_by_another_one_with_the_same_records(folder, fails):
    disk = Disk()
    journal = journal_in(folder, disk=disk)
    for number in range(3):
        journal.append(event(number))
        until(lambda: not journal.waiting)
    disk.fails = list(fails)
    disk.half = True
    journal.append(event(3))
    until(lambda: journal._failing)
    disk.fails.clear()
    journal.append(event(4))
    until(lambda: not journal._failing and not journal.waiting)
    journal.close()
    first, second = sorted(folder.iterdir(), key=lambda file: file.name.count("."))
    assert second.name == first.name.replace(".", ".1.")
    assert 1 == len({batch["file"] for batch in batches_in(folder)})
    found = [(batch["offset"], row[10]) for batch in batches_in(folder) for row in batch["decisions"]]
    assert {(number, f"r{number}") for number in range(5)} == set(found), "a record keeps its number"


def test_what_nobody_waits_for_is_kept_within_bounds_and_what_is_lost_is_counted(folder, caplog):
    disk = Disk("write")
    journal = journal_in(folder, disk=disk, capacity=10)
    journal.append(event(0))
    until(lambda: journal._failing)
    for number in range(1, 31):
        assert DONE is journal.append(event(number))
    assert (11, 20) == (journal.waiting, journal.lost)
    disk.fails.clear()
    until(lambda: not journal.waiting)
    journal.append(event(31))
    journal.close()
    assert [*range(11), 31] == numbers_in(folder)
    assert 20 == sum(batch["lost"] for batch in batches_in(folder))
    assert 32 == batches_in(folder)[-1]["offset"] + len(batches_in(folder)[-1]["decisions"])
    assert "20 decisions were lost" in caplog.text


def test_a_disk_that_is_slow_refuses_in_time_and_recovers(folder, caplog):
    disk = Disk(seconds=0.7)
    journal = journal_in(folder, mode="strict", disk=disk)
    refused(journal)
    refused(journal, within=0.05)
    with pytest.raises(JournalUnavailableError):
        asyncio.run(_await(journal))
    disk.seconds = 0
    until(lambda: not journal._stuck)
    journal.append(event(3)).wait()
    journal.close()
    assert 1 == caplog.text.count("the disk takes longer than 250 ms")


def test_on_a_loop_a_slow_disk_refuses_everybody_in_time(folder):
    journal = journal_in(folder, mode="strict", disk=Disk(seconds=0.6))

    async def timed():
        begun = time.monotonic()
        found = await asyncio.gather(*(journal.append(event(number)) for number in range(50)), return_exceptions=True)
        return [type(one) for one in found], time.monotonic() - begun

    async def all_of_them():
        return await timed()

    found, took = asyncio.run(all_of_them())
    assert {JournalUnavailableError} == set(found)
    assert 0.2 < took < 0.4
    journal.close()


def test_a_folder_that_cannot_be_made_refuses_and_is_made_as_soon_as_it_can(folder):
    folder.write_text("in the way")
    journal = journal_in(folder, mode="strict")
    refused(journal)
    folder.unlink()
    until(lambda: not journal._failing)
    journal.append(event(5)).wait()
    journal.close()
    assert 5 == numbers_in(folder)[-1]


def test_a_node_without_a_name_writes_nothing_and_loses_nothing(folder):
    names = iter([OSError("read-only"), OSError("read-only"), "0" * 16])

    def node():
        name = next(names)
        if isinstance(name, OSError):
            raise name
        return name

    journal = FileJournal(folder, node, mode="relaxed", clock=lambda: 60_000)
    journal.append(event(1))
    until(lambda: not journal.waiting)
    journal.close()
    assert [1] == numbers_in(folder)


def test_a_journal_that_reached_its_limit_refuses_until_somebody_took_it_over(folder):
    journal = journal_in(folder, mode="strict", limit=20_000)
    for number in range(100):
        try:
            journal.append(event(number, object="x" * 1_000)).wait()
        except JournalUnavailableError:
            break
    assert 5 < number < 25
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 20_000
    for file in folder.iterdir():
        os.truncate(file, 0)
    until(lambda: not journal._failing)
    journal.append(event(0)).wait()
    journal.close()


def test_what_is_still_in_memory_at_the_end_is_said(folder, caplog):
    journal = journal_in(folder, disk=Disk("write"))
    journal.append(event(0))
    until(lambda: journal._failing)
    for number in range(3):
        journal.append(event(number))
    journal.close()
    assert "4 decisions could not be written and are lost" in caplog.text


def test_where_no_thread_can_be_started_nothing_is_lost_and_the_next_event_tries_again(folder, monkeypatch):
    journal = journal_in(folder)

    def no_room(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_room)
        with pytest.raises(RuntimeError):
            journal.append(event(1))
    journal.append(event(2))
    until(lambda: not journal.waiting)
    journal.close()
    assert [1, 2] == numbers_in(folder)


def test_a_full_disk_gets_back_the_room_of_what_was_taken_over(folder):
    disk, ledger = Disk(), Ledger()
    journal = journal_in(folder, mode="strict", disk=disk)
    journal.append(event(1)).wait()
    disk.fails.append("write")
    with pytest.raises(JournalUnavailableError):
        journal.append(event(2)).wait()
    # The process goes on, and its file is ended all the same.
    Carrier(folder, ledger, node=lambda: NODE).stop()
    assert [1] == ledger.numbers
    assert 0 == sum(file.stat().st_size for file in folder.glob("*.journal"))
    disk.fails.clear()
    until(lambda: not journal._failing)
    journal.append(event(3)).wait()
    journal.close()
    Carrier(folder, ledger, node=lambda: NODE).stop()
    assert [1, 2, 3] == ledger.numbers
    assert (1, 0, []) == (len(ledger.next), ledger.lost, ledger.cuts)


def test_a_small_limit_is_no_limit_where_all_is_taken_over(folder):
    ledger = Ledger()
    folder.mkdir()
    carrier = Carrier(folder, ledger, node=lambda: NODE)
    journal = journal_in(folder, mode="strict", limit=150_000)
    carrier.start()
    for number in range(250):
        journal.append(event(number, object="x" * 1_000)).wait()
        time.sleep(0.006)
    journal.close()
    carrier.stop()
    assert list(range(250)) == ledger.numbers
