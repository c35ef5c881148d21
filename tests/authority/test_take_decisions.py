"""Decisions from verifiers elsewhere: each exactly once, in whatever way its batch comes."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from scopekey.authority import take_decisions as taking
from scopekey.authority.take_decisions import AT_ONCE_BYTES, NEEDS, REMEMBERED, at_once, take_batch, take_decisions
from scopekey.core.decision import Allowed
from scopekey.replica.batch import Batch, MissingRecordsError
from scopekey.replica.batch_bytes import encode
from scopekey.replica.event import Event
from scopekey.store.errors import StoreUnavailableError
from scopekey.store.journals import Journals
from scopekey.wire.decisions import UnreadableBatchError, write_batch
from tests.authority.home import refused
from tests.contract.index import REGISTER, key

NODE, FILE = "00112233445566aa", "ffeeddccbbaa9988"


def batch(offset, number, *, lost=0, file=FILE):
    """Decisions whose request ids are their numbers in the file."""
    some = tuple(
        Event(Allowed(key(at), key(at).secrets[0]), 60_000 + at, f"r{at}", REGISTER, operation="GET /")
        for at in range(offset, offset + number)
    )
    return encode(Batch(file, offset, lost, some), NODE)


@pytest.fixture
def take(either):
    caller = either.caller(NEEDS, never_expires=True)
    return lambda encoded: take_decisions(either.authority, caller, encoded)


def recorded(home):
    """The numbers of the decisions in the log, in their order."""
    return [int(row.entry.request_id[1:]) for row in home.entries(10_000)[::-1] if row.entry.kind == "decision"]


def gaps(home):
    return [(e.action, e.node, e.count) for e in (row.entry for row in home.entries(10_000)) if e.kind == "gap"]


def test_a_batch_is_recorded_as_its_entries(either, take):
    assert 3 == take(batch(0, 3))
    assert [0, 1, 2] == recorded(either)
    entry = either.entry()
    assert (NODE, key(2).id, "r2", True, 0) == (entry.node, entry.key, entry.request_id, entry.allowed, entry.age)
    assert 3 == len({row.entry.nonce for row in either.entries(3)})


def test_the_same_batch_again_is_answered_the_same_and_written_once(either, take):
    assert [3, 3, 5, 5] == [take(batch(0, 3)), take(batch(0, 3)), take(batch(3, 2)), take(batch(3, 2))]
    assert list(range(5)) == recorded(either)


def test_of_a_batch_that_overlaps_the_rest_is_taken(either, take):
    take(batch(0, 3))
    assert 6 == take(batch(1, 5))
    assert list(range(6)) == recorded(either)


def test_copies_that_arrive_at_once_are_written_once(either, take):
    together = Barrier(4)

    def send(_):
        together.wait()
        return take(batch(0, 700))

    with ThreadPoolExecutor(4) as threads:
        assert [700] * 4 == list(threads.map(send, range(4)))
    assert list(range(700)) == recorded(either)


def test_a_gap_is_a_conflict_that_names_what_comes_next(either, take):
    with refused("conflict", expected=0):
        take(batch(5, 1))
    take(batch(0, 3))
    with refused("conflict", expected=3):
        take(batch(5, 1, lost=1))
    assert [0, 1, 2] == recorded(either)


def test_a_gap_that_is_owned_up_to_is_none(either, take, caplog):
    take(batch(0, 3))
    assert [6, 6] == [take(batch(5, 1, lost=2)), take(batch(5, 1, lost=2))]
    assert [0, 1, 2, 5] == recorded(either)
    assert 1 == caplog.text.count(f"the node {NODE} lost 2 decisions")
    assert [("journal.lost", NODE, 2)] == gaps(either)


def test_what_was_lost_is_recorded_once_though_nothing_comes_after_it(either, take):
    take(batch(0, 3))
    assert [9, 9, 10] == [take(batch(9, 0, lost=6)), take(batch(9, 0, lost=6)), take(batch(9, 1))]
    assert [0, 1, 2, 9] == recorded(either)
    assert [("journal.lost", NODE, 6)] == gaps(either)


def test_a_file_that_was_cut_is_recorded_once(either, take):
    take(batch(0, 3))
    cut = write_batch(node=NODE, file=FILE, offset=3, lost=0, cut=37)
    assert [4, 4] == [take(cut), take(cut)]
    assert [("journal.cut", NODE, 37)] == gaps(either)


def test_a_cut_of_what_was_taken_before_it_was_torn_is_no_loss(either, take):
    take(batch(0, 3))
    assert 3 == take(write_batch(node=NODE, file=FILE, offset=2, lost=0, cut=37))
    assert [] == gaps(either)


def test_a_process_with_the_store_takes_a_batch_without_a_caller(either):
    assert [3, 3] == [take_batch(either.store, batch(0, 3)), take_batch(either.store, batch(0, 3))]
    assert [0, 1, 2] == recorded(either)
    with pytest.raises(MissingRecordsError):
        take_batch(either.store, batch(5, 1))
    with pytest.raises(UnreadableBatchError):
        take_batch(either.store, b"{}")


def test_one_transaction_writes_a_bounded_size_but_one_entry_at_least():
    large = [bytes(60_000)] * 100
    assert AT_ONCE_BYTES // 60_000 == len(at_once(large, 10))
    assert 1 == len(at_once([bytes(AT_ONCE_BYTES + 1)], 0))


def test_files_are_counted_apart(either, take):
    assert [2, 2] == [take(batch(0, 2)), take(batch(0, 2, file="0" * 16))]
    assert [0, 1, 0, 1] == recorded(either)


def test_of_a_batch_with_anything_wrong_in_it_nothing_is_written(either, take, monkeypatch):
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    bad = json.loads(batch(0, 3))
    bad["decisions"][2][10] = "a\0b"
    with refused("invalid_request", field="decisions.2"):
        take(json.dumps(bad).encode())
    assert [] == recorded(either)
    assert 3 == take(batch(0, 3))


def test_what_was_written_before_a_failure_is_not_written_again(either, take, monkeypatch):
    """The write fails in the middle of a batch, and in the middle of a transaction."""
    monkeypatch.setattr(taking, "AT_ONCE", 2)
    advance, calls = Journals.advance, []

    def sometimes(self, *values):
        calls.append(values)
        if len(calls) == 2:
            raise StoreUnavailableError("cut")
        advance(self, *values)

    monkeypatch.setattr(Journals, "advance", sometimes)
    with pytest.raises(StoreUnavailableError):
        take(batch(0, 5))
    assert [0, 1] == recorded(either)
    assert 5 == take(batch(0, 5))
    assert list(range(5)) == recorded(either)


def test_without_the_ledger_a_repeat_is_written_twice(either, take, monkeypatch):
    """The control of the tests above: they would notice."""
    monkeypatch.setattr(Journals, "hold", lambda *_: 0)
    take(batch(0, 3))
    take(batch(0, 3))
    assert [0, 1, 2, 0, 1, 2] == recorded(either)


def test_a_file_that_nothing_came_from_for_ninety_days_is_forgotten(either, take):
    take(batch(0, 2))
    either.now += REMEMBERED
    take(batch(0, 1, file="1" * 16))
    assert 3 == take(batch(2, 1))
    either.now += REMEMBERED + 1
    take(batch(0, 1, file="2" * 16))
    with refused("conflict", expected=0):
        take(batch(3, 1))


def test_a_key_that_was_revoked_or_narrowed_since_it_was_checked_hands_in_nothing(either):
    caller = either.caller(NEEDS)
    either.revoke(caller.id)
    with refused("revoked_key"):
        take_decisions(either.authority, caller, batch(0, 1))
    with refused("missing_permission"):
        take_decisions(either.authority, either.caller("datasets:read"), batch(0, 1))
    assert [] == recorded(either)


def test_only_keys_of_the_operator_may_hold_the_permission(either):
    tenant = either.tenant()
    with refused("invalid_request", field="permissions"):
        either.issue(NEEDS, organization=tenant)
    with refused("invalid_request", field="permissions"):
        either.edit(either.issue("datasets:read", organization=tenant).key.id, permissions=[NEEDS])
