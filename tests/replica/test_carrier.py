"""The carrier: every record that lies in a folder is taken once, whoever wrote it and whatever happened to the file."""

import json
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopekey.core.decision import DenialReason, Denied
from scopekey.replica.batch import Batch, NotTakenError, RefusedBatchError
from scopekey.replica.batch_bytes import encode
from scopekey.replica.carrier import Carrier
from scopekey.replica.freshness import NEVER
from scopekey.replica.journal_frames import frame
from scopekey.replica.leader import Leadership
from scopekey.wire.decisions import MAX_TEXT, UnreadableBatchError
from tests.replica.journals import FILE, NODE, Disk, Ledger, event, frames, journal_in, left, until, writing


def test_what_a_process_writes_is_taken_while_it_lives_and_its_file_goes_when_it_ends(folder, ledger, carrier_to):
    journal, carrier = journal_in(folder, mode="strict"), carrier_to(ledger)
    carrier.start()
    for number in range(300):
        journal.append(event(number)).wait()
    until(lambda: len(ledger.numbers) == 300)
    assert 1 == len(list(folder.glob("*.journal")))
    journal.close()
    until(lambda: not list(folder.glob("*.journal")))
    assert list(range(300)) == ledger.numbers
    assert ledger.calls < 100, "small frames go up together"


def test_large_frames_go_up_as_they_stand_and_small_ones_together(folder, carrier_to):
    written = frames(300, 1, 2, 3, 500, 1)
    left(folder, b"".join(written))
    taken = []
    ledger = Ledger()
    carrier_to(lambda batch: (taken.append(batch), ledger(batch))[1]).stop()
    assert list(range(807)) == ledger.numbers
    assert [written[0][9:-1], written[4][9:-1]] == [
        batch for batch in taken if len(json.loads(batch)["decisions"]) > 200
    ]
    assert [300, 6, 500, 1] == [len(json.loads(batch)["decisions"]) for batch in taken]


def test_a_file_of_a_killed_process_is_taken_to_its_end(folder, ledger, carrier_to):
    with writing(folder, "strict") as process:
        acknowledged = [int(process.stdout.readline()) for _ in range(50)]
        process.kill()
        process.wait()
        acknowledged += [int(line) for line in process.stdout]
    carrier_to(ledger).stop()
    assert set(acknowledged) <= set(ledger.numbers)
    assert list(range(len(ledger.numbers))) == ledger.numbers
    assert [] == list(folder.glob("*.journal"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(size=st.integers(0, 3_000))
def test_a_torn_end_is_cut_and_that_is_recorded(tmp_path_factory, size):
    folder, ledger = tmp_path_factory.mktemp("torn"), Ledger()
    whole = frames(1, 3, 2, 5)
    data = b"".join(whole)[:size]
    left(folder, data)
    for _ in range(2):
        Carrier(folder, ledger, node=lambda: NODE).stop()
    complete, known = 0, 0
    for one, records in zip(whole, (1, 3, 2, 5), strict=True):
        if complete + len(one) > len(data):
            break
        complete, known = complete + len(one), known + records
    assert list(range(known)) == ledger.numbers
    assert [len(data) - complete] * (len(data) > complete) == ledger.cuts
    assert [] == list(folder.glob("*.journal"))


def test_while_its_process_lives_an_incomplete_frame_is_waited_for(folder, ledger, carrier_to):
    whole = b"".join(frames(2, 2))
    file = left(folder, whole[:-5])
    held = Leadership(file)
    assert held.try_take()
    carrier = carrier_to(ledger)
    carrier.start()
    until(lambda: ledger.numbers == [0, 1])
    time.sleep(0.15)
    assert ([0, 1], []) == (ledger.numbers, ledger.cuts)
    file.write_bytes(whole)
    until(lambda: ledger.numbers == [0, 1, 2, 3])
    held.release()


def test_a_damaged_frame_in_the_middle_is_skipped_and_owned_up_to(folder, ledger, carrier_to, caplog):
    first, second, third = frames(2, 3, 2)
    left(folder, first + second.replace(b"r3", b"r9") + third)
    carrier_to(ledger).stop()
    assert ([0, 1, 5, 6], 3, []) == (ledger.numbers, ledger.lost, ledger.cuts)
    assert f"{len(second)} bytes are damaged" in caplog.text


def test_a_file_that_begins_with_damage_is_taken_from_what_can_be_read(folder, ledger, carrier_to):
    first, second = frames(2, 3)
    left(folder, b"\0" * len(first) + b"\n" + second)
    carrier_to(ledger).stop()
    assert ([2, 3, 4], 2) == (ledger.numbers, ledger.lost)


def test_a_new_carrier_skips_what_is_taken_already(folder, carrier_to):
    ledger = Ledger()
    file = left(folder, b"".join(frames(*[250] * 8)))
    held = Leadership(file)
    held.try_take()
    first = carrier_to(ledger)
    assert first._leads()
    assert first.carry()
    first._let_go()
    calls = ledger.calls
    second = carrier_to(ledger)
    second._leads()
    second.carry()
    assert (list(range(2_000)), calls + 1) == (ledger.numbers, ledger.calls)
    held.release()


def test_replies_that_are_lost_and_faults_in_between_take_nothing_twice(folder, carrier_to):
    ledger, calls = Ledger(), []

    def take(batch):
        calls.append(batch)
        reached = ledger(batch) if len(calls) % 3 else None
        if len(calls) % 2 or reached is None:
            raise NotTakenError(0.001)
        return reached

    left(folder, b"".join(frames(*[250] * 6)))
    carrier = carrier_to(take)
    carrier.start()
    until(lambda: not list(folder.glob("*.journal")))
    assert list(range(1_500)) == ledger.numbers


def test_whatever_keeps_it_from_being_taken_is_said_once_and_it_goes_on(folder, ledger, carrier_to, caplog):
    broken = threading.Event()

    def take(batch):
        if not broken.is_set():
            raise OSError("the database is away")
        return ledger(batch)

    left(folder, b"".join(frames(3)))
    carrier = carrier_to(take)
    carrier.start()
    until(lambda: carrier._failures >= 3)
    broken.set()
    until(lambda: [0, 1, 2] == ledger.numbers)
    assert 1 == caplog.text.count("they stay in the journal")
    assert 1 == caplog.text.count("decisions are handed over again")


def test_what_was_put_back_gets_what_is_still_here_again(folder, carrier_to, caplog):
    ledger = Ledger()
    file = left(folder, b"".join(frames(250, 250)))
    held = Leadership(file)
    held.try_take()
    carrier = carrier_to(ledger)
    carrier._leads()
    carrier.carry()
    ledger.next = {FILE: 250}
    ledger.entries = ledger.entries[:250]
    with file.open("ab") as more:
        more.write(frames(1, first=500)[0])
    carrier.carry()
    assert (list(range(501)), 0) == (ledger.numbers, ledger.lost)
    assert "are not known any more" in caplog.text
    held.release()


def test_what_is_not_here_any_more_is_owned_up_to(folder, carrier_to):
    ledger = Ledger()
    left(folder, b"".join(frames(3, first=40)), f"{FILE}.1")
    carrier_to(ledger).stop()
    assert ([40, 41, 42], 40) == (ledger.numbers, ledger.lost)


@pytest.mark.parametrize("refusal", [UnreadableBatchError("decisions.1", "it is too long"), RefusedBatchError(0.01)])
def test_what_nobody_can_record_does_not_hold_up_the_others(folder, carrier_to, caplog, refusal):
    ledger = Ledger()

    def take(batch):
        try:
            return ledger(batch)
        except UnreadableBatchError:
            raise refusal from None

    some = tuple(event(at, object="x" * (MAX_TEXT + 1) if at in {1, 4} else "o") for at in range(5))
    left(folder, frame(encode(Batch(FILE, 0, 0, some), NODE)) + b"".join(frames(2, first=5)))
    carrier_to(take).stop()
    assert ([0, 2, 3, 5, 6], 2) == (ledger.numbers, ledger.lost)
    assert "2 decisions have a form that cannot be recorded" in caplog.text


def test_a_control_plane_that_refuses_what_can_be_read_is_said_once_and_asked_again(folder, carrier_to, caplog):
    ledger, refuses = Ledger(), [True] * 3

    def take(batch):
        if refuses:
            refuses.pop()
            raise RefusedBatchError(0.001)
        return ledger(batch)

    left(folder, b"".join(frames(2)))
    carrier_to(take).start()
    until(lambda: [0, 1] == ledger.numbers)
    assert 1 == caplog.text.count("upgrade the control plane")


def test_a_broken_file_and_its_successor_are_taken_as_one(folder, ledger, carrier_to):
    disk = Disk()
    journal, carrier = journal_in(folder, disk=disk), carrier_to(ledger)
    carrier.start()
    for number in range(3):
        journal.append(event(number))
        until(lambda: not journal.waiting)
    disk.fails = ["sync"]
    until(lambda: journal._failing)
    for number in range(3, 6):
        journal.append(event(number))
    until(lambda: [0, 1, 2] == ledger.numbers)
    disk.fails.clear()
    until(lambda: list(range(6)) == ledger.numbers)
    journal.close()
    until(lambda: not list(folder.glob("*.journal")))
    assert (list(range(6)), [], 0) == (ledger.numbers, ledger.cuts, ledger.lost)


def test_the_torn_end_of_a_broken_file_is_its_successors_affair(folder, ledger, carrier_to):
    first, second, third = frames(2, 2, 2)
    left(folder, first + second[:-9])
    left(folder, second + third, f"{FILE}.1")
    carrier_to(ledger).stop()
    assert (list(range(6)), [], 0) == (ledger.numbers, ledger.cuts, ledger.lost)
    assert [] == list(folder.glob("*.journal"))


# Processes


def test_a_refusal_by_a_replica_that_was_never_level_can_be_recorded(folder, ledger):
    journal = journal_in(folder)
    refusal = event(decision=Denied(DenialReason.STALE_REPLICA), register=None, age=NEVER, address="192.0.2.1")
    journal.append(refusal)
    journal.close()
    Carrier(folder, ledger, node=lambda: NODE).stop()
    assert [("stale_replica", NEVER)] == [(entry.code, entry.age) for entry in ledger.entries if entry.request_id]
    assert 0 == ledger.lost
