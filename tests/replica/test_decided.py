"""Counts of decisions by code: every code is there from the start, and nothing that is added gets lost."""

import sys
import threading
import time

import pytest

from scopekey.core.decision import Allowed, DenialReason, Denied
from scopekey.replica.decided import CODES, Decided, code_of
from scopekey.replica.journal import JournalUnavailableError
from tests.replica.journals import Disk, denied, event, journal_in, unknown


def until(true, within=5.0):
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.002)


def test_every_code_of_a_check_is_there_before_anything_is_decided():
    assert dict.fromkeys(["allowed", *map(str, DenialReason)], 0) == dict(Decided())
    assert 13 == len(Decided()) == len(CODES)


def test_what_is_no_code_is_not_counted():
    with pytest.raises(KeyError):
        Decided().add("anything")


@pytest.mark.parametrize("reason", DenialReason)
def test_a_refusal_counts_under_its_code(reason):
    decided = Decided()
    decided.add_all([event(decision=Denied(reason)), event(), event(decision=Allowed())])
    assert reason.value == code_of(event(decision=Denied(reason)))
    assert {reason.value: 1, "allowed": 2} == {code: number for code, number in decided.items() if number}


def test_threads_lose_no_count_of_one_another():
    decided, interval = Decided(), sys.getswitchinterval()

    def add():
        for _ in range(20_000):
            decided.add("allowed")
            decided.public += 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert 160_000 == decided["allowed"]


def test_a_journal_counts_each_decision_once_recorded_or_not(tmp_path):
    journal = journal_in(tmp_path, mode="strict")
    for _ in range(30):
        journal.append(unknown())
    tickets = [journal.append(made) for made in (event(1), event(2), denied(3), event(decision=Allowed()))]
    for ticket in tickets:
        ticket.wait()
    journal.close()
    told = {code: number for code, number in journal.decided.items() if number}
    assert {"allowed": 3, "revoked_key": 1, "unknown_key": 30} == told


def test_decisions_that_are_lost_or_written_late_count_once_too(tmp_path):
    disk = Disk("write")
    journal = journal_in(tmp_path, capacity=2, disk=disk)
    for number in range(10):
        journal.append(event(number))
        until(lambda: disk.steps)
    assert journal.lost
    disk.fails.clear()
    until(lambda: 10 == journal.decided["allowed"])
    journal.close()
    assert 10 == journal.decided["allowed"]


def test_a_decision_that_must_be_recorded_and_cannot_be_counts_as_what_it_was_answered(tmp_path):
    disk = Disk("write")
    journal = journal_in(tmp_path, mode="strict", disk=disk)
    with pytest.raises(JournalUnavailableError):
        journal.append(event(1)).wait()
    for number in range(5):
        with pytest.raises(JournalUnavailableError):
            journal.append(event(number)).wait()
    assert 5 == journal.decided["journal_unavailable"]
    disk.fails.clear()
    journal.close()
