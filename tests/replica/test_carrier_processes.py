"""Carriers of several processes: one carries, another takes over, whoever is killed and however it ends."""

import logging
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from scopekey.replica.batch import Batch
from scopekey.replica.batch_bytes import encode
from scopekey.replica.carrier import Carrier
from scopekey.replica.journal_frames import frame
from tests.replica.journals import NODE, Ledger, event, frames, left, writing


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_one_process_carries_and_another_takes_over_where_it_dies(folder, ledger, carrier_to):
    folder.mkdir()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        carrier = Carrier(folder, lambda _: 0, node=lambda: NODE)
        os.write(writer, b"1" if carrier._leads() else b"0")
        signal.pause()
    assert b"1" == os.read(reader, 1)
    try:
        left(folder, b"".join(frames(2)))
        carrier = carrier_to(ledger)
        carrier.stop()
        assert [] == ledger.numbers, "who does not lead leaves it to who does"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    carrier.stop()
    assert [0, 1] == ledger.numbers


def test_what_another_process_left_while_this_one_ended_is_taken_too(folder, carrier_to):
    """It found the lock taken, and went."""
    ledger = Ledger()

    def take(batch):
        reached = ledger(batch)
        if ledger.calls == 1:
            left(folder, frame(encode(Batch("0" * 16, 0, 0, (event(9),)), NODE)), "0" * 16)
        return reached

    left(folder, b"".join(frames(2)))
    carrier_to(take).stop()
    assert [0, 1, 9] == ledger.numbers


def test_the_end_waits_no_longer_than_it_may(folder, carrier_to):
    release, hurried = threading.Event(), []
    left(folder, b"".join(frames(2)))
    carrier = carrier_to(lambda _: release.wait(5) and 2, hurry=hurried.append)
    carrier.start()
    time.sleep(0.05)
    begun = time.monotonic()
    carrier.stop(0.2)
    assert time.monotonic() - begun < 1
    release.set()
    assert list(folder.glob("*.journal"))


def test_the_last_calls_are_told_how_long_they_may_take(folder, carrier_to):
    ledger, hurried = Ledger(), []
    left(folder, b"".join(frames(2)))
    carrier_to(ledger, hurry=hurried.append).stop(3)
    assert [True] == [2 < seconds <= 3 for seconds in hurried]


def test_a_folder_that_is_not_there_costs_nothing_and_is_not_made(folder, ledger, carrier_to):
    carrier = carrier_to(ledger)
    carrier.start()
    time.sleep(0.05)
    carrier.stop()
    assert not folder.exists()


def test_what_a_process_left_that_died_while_it_made_a_file_is_removed(folder, ledger, carrier_to):
    folder.mkdir()
    old, new = folder / "a.new", folder / "b.new"
    for file in (old, new):
        file.write_bytes(b"")
    os.utime(old, (0, 0))
    carrier_to(ledger).stop()
    assert (False, True) == (old.exists(), new.exists())


@pytest.mark.parametrize("mode", ["strict", "relaxed"])
def test_whoever_is_killed_and_however_often_nothing_is_missing_and_nothing_twice(folder, mode, caplog):
    """Writers and carriers are killed at any moment; what a writer told of is there, once."""
    caplog.set_level(logging.CRITICAL)
    ledger, acknowledged = Ledger(), 0
    for round_ in range(6):
        with writing(folder, mode) as process:
            process.stdout.readline()
            carrier = Carrier(folder, ledger, node=lambda: NODE, jitter=lambda: -0.9)
            carrier.start()
            time.sleep(0.03 * round_)
            process.kill()
            process.wait()
            last = [0, *(int(line) for line in process.stdout if line.endswith(b"\n"))][-1]
            # As if it had been killed too: it forgets where it was.
            carrier._stop.set()
            carrier._thread.join()
            carrier._let_go()
        acknowledged += last + 1
    Carrier(folder, ledger, node=lambda: NODE).stop()
    assert sum(ledger.next.values()) - len(ledger.cuts) == len(ledger.numbers)
    if mode == "strict":
        assert 6 == len(ledger.next)
        assert acknowledged <= len(ledger.numbers) <= acknowledged + 6
    assert [] == list(Path(folder).glob("*.journal"))
