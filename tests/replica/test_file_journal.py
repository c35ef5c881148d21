"""The journal of a process: what is on the disk before its answer, what is released together, and what a fault does."""

import asyncio
import os
import threading

import pytest

from scopekey.core.decision import Allowed
from scopekey.core.matcher import Match
from scopekey.core.requirement import Requirement, need
from scopekey.core.rules import Operation
from scopekey.replica import file_journal
from scopekey.replica.journal import DONE
from scopekey.replica.journal_file import SUFFIX
from scopekey.wire.decisions import MAX_TEXT
from tests.contract.index import REGISTER, key
from tests.replica.journals import Disk, batches_in, denied, event, journal_in, numbers_in, unknown, until

READ, WRITE = (
    need(Requirement.all_of(REGISTER.catalog.permission(f"datasets:{to}")), REGISTER) for to in ("read", "write")
)
NOTHING = need(Requirement(((),)), REGISTER)


def about(need_, method="GET", *, writes):
    """A decision about an operation, as the table compiles it."""
    return event(
        decision=Allowed(key(1), key(1).secrets[0], need_),
        match=Match(Operation.parse(f"{method} /"), need_, writes=writes),
    )


# What is recorded


def test_decisions_about_genuine_keys_are_written_one_by_one_and_in_order(folder):
    journal = journal_in(folder)
    for number in range(2_500):
        journal.append(event(number))
    journal.close()
    assert list(range(2_500)) == numbers_in(folder)
    found = batches_in(folder)
    assert [0, *(batch["offset"] + len(batch["decisions"]) for batch in found[:-1])] == [
        batch["offset"] for batch in found
    ]


def test_a_file_and_its_folder_are_the_owners_alone(folder):
    journal = journal_in(folder)
    journal.append(event())
    journal.close()
    (file,) = folder.iterdir()
    assert (0o700, 0o600, SUFFIX) == (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777, file.suffix)


def test_nothing_is_made_before_the_first_event_nor_for_public_calls(folder):
    journal = journal_in(folder)
    assert DONE is journal.append(event(decision=Allowed()))
    journal.close()
    assert not folder.exists()
    assert not journal.used


def test_refusals_without_a_genuine_key_are_counted_and_the_first_ten_told(folder):
    journal = journal_in(folder, mode="strict")
    for _ in range(1_000):
        assert DONE is journal.append(unknown(address="192.0.2.9"))
    for _ in range(3):
        journal.append(unknown(address="192.0.2.200"))
    journal.append(unknown(address="2001:db8::1"))
    journal.close()
    told = [row for batch in batches_in(folder) for row in batch["decisions"]]
    counted = [tuple(row) for batch in batches_in(folder) for row in batch["refusals"]]
    assert (11, 10) == (len(told), sum(row[9] == "192.0.2.9" for row in told))
    assert [(60_000, "unknown_key", "192.0.2.0/24", 1_003), (60_000, "unknown_key", "2001:db8::/48", 1)] == counted


def test_a_journal_that_was_closed_begins_another_file(folder):
    journal = journal_in(folder)
    for number in range(2):
        journal.append(event(number))
        journal.close()
    assert ([0, 1], [0, 0]) == (sorted(numbers_in(folder)), [batch["offset"] for batch in batches_in(folder)])
    assert 2 == len(list(folder.iterdir()))


def test_what_cannot_be_recorded_is_left_out_and_owned_up_to(folder, caplog):
    journal = journal_in(folder)
    for number, text in enumerate(["a", "\ud800", "x" * (2 << 20), "b"]):
        journal.append(event(number, object=text))
    journal.close()
    assert ([0, 3], 2) == (numbers_in(folder), journal.lost)
    assert (4, 2) == (batches_in(folder)[-1]["offset"] + 1, sum(batch["lost"] for batch in batches_in(folder)))
    assert "have a form that cannot be recorded" in caplog.text


def test_long_records_are_written_as_several_batches(folder):
    journal = journal_in(folder)
    for number in range(200):
        journal.append(event(number, object="x" * MAX_TEXT))
    journal.close()
    assert (list(range(200)), True) == (numbers_in(folder), len(batches_in(folder)) > 2)


# The modes


@pytest.mark.parametrize(
    ("asked", "strict", "writes"),
    [
        (about(READ, writes=False), True, False),
        (about(WRITE, "POST", writes=True), True, True),
        (about(READ, "POST", writes=False), True, False),
        (about(NOTHING, "GET", writes=False), True, False),
        (about(NOTHING, "POST", writes=True), True, True),
        (event(decision=Allowed(key(1), key(1).secrets[0], READ)), True, False),
        (event(decision=Allowed(key(1), key(1).secrets[0], WRITE)), True, True),
        (event(decision=Allowed(key(1), key(1).secrets[0], NOTHING)), True, True),
        (denied(), True, True),
        (unknown(), False, False),
        (event(decision=Allowed()), False, False),
    ],
)
def test_each_mode_makes_wait_for_what_it_says(folder, asked, strict, writes):
    for mode, waits in (("strict", strict), ("writes", writes), ("relaxed", False)):
        journal = journal_in(folder, mode=mode)
        ticket = journal.append(asked)
        assert waits == (ticket is not DONE), mode
        ticket.wait()
        if waits:
            assert batches_in(folder)
        journal.close()


@pytest.mark.parametrize(
    ("mode", "events", "durable"),
    [
        ("strict", [event()], True),
        ("writes", [denied()], True),
        ("writes", [about(READ, writes=False)], False),
        ("relaxed", [denied()], False),
    ],
)
def test_a_batch_says_whether_its_answers_waited_for_the_disk(folder, mode, events, durable):
    journal = journal_in(folder, mode=mode)
    for one in events:
        journal.append(one)
    journal.close()
    assert [durable] == [batch["durable"] for batch in batches_in(folder)]


def test_what_nobody_waits_for_is_written_at_once_and_synced_within_a_second(folder):
    disk = Disk()
    journal = journal_in(folder, disk=disk)
    journal.append(event(0))
    until(lambda: "sync" in disk.steps)
    journal.append(event(1))
    until(lambda: [0, 1] == numbers_in(folder), within=0.5)
    assert 1 == disk.steps.count("sync")
    until(lambda: 2 == disk.steps.count("sync"), within=2)
    journal.close()


# Group commit


def test_who_must_wait_does_not_wait_for_others_to_come(folder, monkeypatch):
    monkeypatch.setattr(file_journal, "_LINGER", 60.0)
    journal = journal_in(folder, mode="writes")
    for _ in range(5):
        # The one that nobody waits for wakes the thread, which then stays for more; a ticket is patient for 250 ms.
        assert DONE is journal.append(about(READ, writes=False))
        until(lambda: not journal._idle and journal._wake.empty())
        journal.append(about(WRITE, "POST", writes=True)).wait()
    journal.close()
    assert 10 == len(numbers_in(folder))


def test_one_sync_releases_all_that_arrived_during_the_last_one(folder):
    disk = Disk(seconds=0.02)
    journal = journal_in(folder, mode="strict", disk=disk)

    async def decide(number):
        await journal.append(event(number))
        return number in numbers_in(folder)

    async def all_of_them():
        return await asyncio.gather(*map(decide, range(100)))

    assert [True] * 100 == asyncio.run(all_of_them())
    assert disk.steps.count("sync") <= 3
    journal.close()


def test_threads_and_loops_are_released_alike(folder):
    journal = journal_in(folder, mode="strict", disk=Disk(seconds=0.01))
    done = []

    def blocking(number):
        journal.append(event(number)).wait()
        done.append(number)

    def on_a_loop(number):
        async def decide(at):
            await journal.append(event(at))
            done.append(at)

        async def both():
            await asyncio.gather(decide(number), decide(number + 1))

        asyncio.run(both())

    threads = [threading.Thread(target=blocking, args=(number,)) for number in range(8)]
    threads += [threading.Thread(target=on_a_loop, args=(number,)) for number in (8, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert list(range(12)) == sorted(done)
    journal.close()


def test_a_task_that_is_cancelled_takes_nobody_with_it(folder):
    journal = journal_in(folder, mode="strict", disk=Disk(seconds=0.05))

    async def both():
        first = asyncio.create_task(wait_for(journal.append(event(0))))
        second = asyncio.create_task(wait_for(journal.append(event(1))))
        await asyncio.sleep(0.01)
        first.cancel()
        await second
        return first.cancelled()

    async def wait_for(ticket):
        await ticket

    assert asyncio.run(both())
    journal.close()


# Files and processes


def test_a_file_is_followed_by_another_one_where_it_is_large(folder, monkeypatch):
    monkeypatch.setattr("scopekey.replica.journal_writer.FILE_ENDS", 10_000)
    journal = journal_in(folder, mode="strict")
    for number in range(40):
        journal.append(event(number, object="x" * 500)).wait()
    journal.close()
    assert 3 <= len(list(folder.iterdir()))
    assert list(range(40)) == sorted(numbers_in(folder))
    assert {0} == {
        min(batch["offset"] for batch in batches_in(folder) if batch["file"] == file.stem) for file in folder.iterdir()
    }


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_writes_a_file_of_its_own_and_leaves_its_parents_alone(folder):
    journal = journal_in(folder, mode="strict")
    journal.append(event(1)).wait()
    (mine,) = folder.iterdir()
    child = os.fork()
    if child == 0:
        failed = True
        try:
            journal.append(event(2)).wait()
            journal.close()
            failed = 2 != len(list(folder.iterdir()))
        finally:
            os._exit(failed)
    assert 0 == os.waitpid(child, 0)[1]
    journal.append(event(3)).wait()
    journal.close()
    assert [1, 3] == [
        int(row[10][1:]) for batch in batches_in(folder) if batch["file"] == mine.stem for row in batch["decisions"]
    ]
    assert [1, 2, 3] == sorted(numbers_in(folder))


def test_every_event_of_many_threads_is_written_once(folder):
    journal = journal_in(folder, mode="writes")

    def some(first):
        for number in range(first, first + 500):
            journal.append(event(number) if number % 3 else denied(number)).wait()

    threads = [threading.Thread(target=some, args=(first,)) for first in range(0, 4_000, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    journal.close()
    assert list(range(4_000)) == sorted(numbers_in(folder))
