"""Decisions of this process: written from the front, a moment's worth at a time."""

import pytest

from scopekey.authority.record_decisions import AT_ONCE, AT_ONCE_BYTES, record_decisions
from scopekey.core.decision import Allowed
from scopekey.replica.batch import Batch, NeverError
from scopekey.replica.batches import BatchJournal
from scopekey.replica.event import Event
from scopekey.replica.refusals import Cell
from tests.contract.index import REGISTER, key


def event(number, **fields):
    decision = Allowed(key(number), key(number).secrets[0])
    return Event(decision, 60_000, **{"request_id": f"r{number}", "register": REGISTER, **fields})


def batch(*events, counts=()):
    return Batch("0" * 16, 0, 0, events, counts)


def recorded(home):
    return [row.entry for row in home.entries(10_000)[::-1] if row.entry.kind != "change"]


def test_decisions_then_counts_are_written_and_name_no_machine(home):
    counts = ((Cell(0, "unknown_key", "192.0.2.0/24"), 5), (Cell(0, "unknown_key", "::/48"), 1))
    assert 3 == record_decisions(home.store, batch(event(1), counts=counts))
    assert [("r1", None), (None, 5), (None, 1)] == [(entry.request_id, entry.count) for entry in recorded(home)]
    assert {None} == {entry.node for entry in recorded(home)}


def test_one_transaction_writes_a_bounded_number(home):
    assert AT_ONCE == record_decisions(home.store, batch(*map(event, range(AT_ONCE + 1))))
    assert AT_ONCE == len(recorded(home))


def test_one_transaction_writes_a_bounded_size_but_one_entry_at_least(home):
    large = [event(number, object="x" * 60_000) for number in range(20)]
    assert AT_ONCE_BYTES // 60_000 == record_decisions(home.store, batch(*large))


def test_what_no_entry_can_be_made_of_is_named_and_nothing_is_written(home):
    bad = [event(0), event(1, object="x" * 70_000), event(2, request_id="a\0b"), event(3, object="\ud800")]
    with pytest.raises(NeverError) as caught:
        record_decisions(home.store, batch(*bad))
    assert [1, 2, 3] == caught.value.places
    assert [] == recorded(home)


def test_it_does_not_hold_up_what_comes_after_it(home, caplog):
    journal = BatchJournal(lambda batch: record_decisions(home.store, batch), clock=lambda: 60_000)
    for one in (event(0), event(1, object="x" * 70_000), event(2)):
        journal.append(one)
    journal.close()
    assert ["r0", "r2"] == [entry.request_id for entry in recorded(home)]
    assert 1 == journal.lost
    assert "1 decisions have a form that cannot be recorded" in caplog.text
