"""The journals of this release: what they record, what they count, and what they do when the sink fails."""

import os
import threading

import pytest

from scopekey.core.decision import Allowed, DenialReason, Denied
from scopekey.replica.batches import BatchJournal
from scopekey.replica.event import Event, entry_of
from scopekey.replica.journal import DONE
from scopekey.replica.memory_journal import MemoryJournal
from scopekey.replica.refusals import ELSEWHERE, RefusalCounts, network_of, refusals_entry
from tests.contract.index import REGISTER, key


def event(decision, at=60_000, request_id="r", address=None):
    return Event(decision, at, request_id, REGISTER, address=address)


def genuine(number=1, **fields):
    return event(Allowed(key(number), key(number).secrets[0]), **fields)


def unknown(**fields):
    return event(Denied(DenialReason.UNKNOWN_KEY), **fields)


def entries_of(batch):
    """What becomes of a batch: its decisions, then its counts."""
    decided = [entry_of(event, bytes(16)) for event in batch.events]
    return decided + [refusals_entry(cell, count, bytes(16)) for cell, count in batch.counts]


class Sink:
    """Takes batches; `at_most` so many records at a time."""

    def __init__(self, at_most=None):
        self.entries, self.batches = [], []
        self.full = False
        self.at_most = at_most
        self.called = threading.Semaphore(0)

    def __call__(self, batch):
        try:
            if self.full:
                raise OSError("the disk is full")
            self.batches.append(batch)
            taken = entries_of(batch)[: self.at_most]
            self.entries.extend(taken)
            return len(taken)
        finally:
            self.called.release()


@pytest.fixture
def sink():
    return Sink()


def journal_of(sink, **options):
    return BatchJournal(sink, **{"clock": lambda: 60_000, "linger_ms": 0} | options)


def test_decisions_about_genuine_keys_arrive_one_by_one_and_in_order(sink):
    journal = journal_of(sink, batch=7)
    tickets = [journal.append(genuine(number)) for number in range(50)]
    assert sink.called.acquire(timeout=10)
    journal.close()
    assert [key(number).id for number in range(50)] == [entry.key for entry in sink.entries]
    assert [0, *(batch.next for batch in sink.batches[:-1])] == [batch.offset for batch in sink.batches]
    assert 1 == len({batch.file for batch in sink.batches})
    assert {DONE} == set(tickets)


def test_an_allowed_call_of_a_public_operation_is_not_recorded(sink):
    journal = journal_of(sink)
    journal.append(event(Allowed()))
    journal.close()
    assert [] == sink.entries


def test_refusals_without_a_genuine_key_are_counted_and_the_first_ten_told(sink):
    journal = journal_of(sink)
    for _ in range(1_000):
        journal.append(unknown(address="192.0.2.9"))
    for _ in range(3):
        journal.append(unknown(address="192.0.2.200"))
    journal.append(unknown(address="2001:db8::1"))
    journal.close()
    told = [(e.kind, e.code, e.address, e.count, e.at) for e in sink.entries]
    assert 10 == told.count(("decision", "unknown_key", "192.0.2.9", None, 60_000))
    assert [
        ("refusals", "unknown_key", "192.0.2.0/24", 1_003, 120_000),
        ("refusals", "unknown_key", "2001:db8::/48", 1, 120_000),
    ] == told[11:]


def test_counts_wait_for_the_end_of_their_minute():
    counts = RefusalCounts()
    counts.count(unknown(at=60_500, address="192.0.2.9"))
    assert [] == list(counts.ended(119_999))
    assert [1] == [count for _, count in counts.ended(120_000)]
    assert not counts


def test_more_networks_than_there_is_room_for_are_counted_together():
    counts = RefusalCounts(cells=2)
    told = [counts.count(unknown(address=f"10.0.{number}.1")) for number in range(5)]
    assert [True, True, False, False, False] == told
    assert {"10.0.0.0/24": 1, "10.0.1.0/24": 1, ELSEWHERE: 3} == {c.network: n for c, n in counts.ended(None)}


@pytest.mark.parametrize(
    ("address", "network"),
    [("::ffff:192.0.2.1", "192.0.2.0/24"), ("nonsense", ELSEWHERE), (None, ELSEWHERE), ("::1", "::/48")],
)
def test_an_address_counts_for_its_network(address, network):
    assert network == network_of(address)


def test_what_the_sink_refused_is_kept_and_the_oldest_lost_are_counted_in_one_line(sink, caplog):
    journal = journal_of(sink, capacity=10, batch=5)
    sink.full = True
    journal.append(genuine(0))
    assert sink.called.acquire(timeout=10)
    for number in range(1, 31):
        journal.append(genuine(number))
    sink.full = False
    journal.close()
    assert [key(number).id for number in (0, *range(21, 31))] == [entry.key for entry in sink.entries]
    assert 1 == caplog.text.count("cannot be handed over")
    assert 1 == caplog.text.count("20 decisions were lost")


def test_a_sink_that_takes_a_few_at_a_time_is_asked_for_the_rest_under_the_same_numbers():
    sink = Sink(at_most=3)
    journal = journal_of(sink, batch=5)
    for number in range(4):
        journal.append(genuine(number))
    for network in range(4):
        journal.append(unknown(address=f"192.0.{network}.1"))
    journal.close()
    told = [entry.key or entry.address for entry in sink.entries]
    assert [key(number).id for number in range(4)] == told[:4]
    assert [f"192.0.{network}.1" for network in range(4)] == told[4:8]
    assert [f"192.0.{network}.0/24" for network in range(4)] == told[8:]
    numbers = [number for batch in sink.batches for number in range(batch.offset, min(batch.offset + 3, batch.next))]
    assert list(range(12)) == numbers


def test_counts_that_find_no_room_in_a_batch_stay_counted(sink):
    journal = journal_of(sink, batch=2)
    for network in range(5):
        journal.append(unknown(address=f"192.0.{network}.1"))
    journal.close()
    counted = [entry for entry in sink.entries if entry.kind == "refusals"]
    assert [(f"192.0.{network}.0/24", 1) for network in range(5)] == [(each.address, each.count) for each in counted]
    assert 2 == max(map(len, sink.batches))


def test_what_waits_and_what_is_lost_can_be_read(sink):
    journal = journal_of(sink, capacity=3)
    assert (0, 0) == (journal.waiting, journal.lost)
    sink.full = True
    journal.append(genuine(0))
    assert sink.called.acquire(timeout=10)
    for number in range(1, 6):
        journal.append(genuine(number))
    assert (4, 2) == (journal.waiting, journal.lost)
    journal.close()
    assert (0, 6) == (journal.waiting, journal.lost)


def test_a_journal_that_was_closed_begins_another_file(sink):
    journal = journal_of(sink)
    for number in range(2):
        journal.append(genuine(number))
        journal.close()
    assert [0, 0] == [batch.offset for batch in sink.batches]
    assert 2 == len({batch.file for batch in sink.batches})


def test_what_cannot_be_handed_over_at_the_end_is_said(sink, caplog):
    journal = journal_of(sink)
    sink.full = True
    for number in range(3):
        journal.append(genuine(number))
    journal.close()
    assert "3 decisions could not be handed over and are lost" in caplog.text


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_hands_over_its_own_and_not_its_parents(sink):
    journal = journal_of(sink)
    sink.full = True
    journal.append(genuine(1))
    assert sink.called.acquire(timeout=10)
    child = os.fork()
    if child == 0:
        told = []
        try:
            journal._sink = lambda batch: told.extend(entries_of(batch)) or len(batch)
            journal.append(genuine(2))
            journal.close()
        finally:
            os._exit([key(2).id] != [entry.key for entry in told])
    assert 0 == os.waitpid(child, 0)[1]
    sink.full = False
    journal.close()
    assert [key(1).id] == [entry.key for entry in sink.entries]


def test_memory_is_bounded_and_said_once(caplog):
    journal = MemoryJournal(2)
    for number in range(3):
        journal.append(genuine(number))
    assert [key(1).id, key(2).id] == [kept.decision.key.id for kept in journal.events]
    assert 1 == caplog.text.count("kept in memory only")


def test_where_no_thread_can_be_started_nothing_is_lost_and_the_next_event_tries_again(sink, monkeypatch):
    journal = journal_of(sink)

    def no_room(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_room)
        with pytest.raises(RuntimeError):
            journal.append(genuine(1))
    journal.append(genuine(2))
    assert sink.called.acquire(timeout=10)
    journal.close()
    assert [key(1).id, key(2).id] == [entry.key for entry in sink.entries]
