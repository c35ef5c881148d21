"""A replica tells others what changed after a place, and everything at once."""

import pytest

from scopekey.replica import history
from scopekey.replica.feed_source import BATCH, FeedSource
from scopekey.replica.history import NotKeptError
from scopekey.replica.index import Place
from scopekey.replica.lmdb_index import EmptyIndexError
from scopekey.replica.lmdb_writer import CATALOG
from scopekey.replica.lmdb_writer import ORGANIZATION as ORGANIZATION_NAME
from scopekey.replica.lmdb_writer import RULES as RULES_NAME
from scopekey.replica.place_row import PLACE
from scopekey.replica.record import DamagedRecordError, name_of
from tests.contract.index import ORGANIZATION, REGISTER, RULES, apply, change, key, load, mark


@pytest.fixture
def source(index):
    return FeedSource(index, lambda: ("0a0b0c0d",))


def place(position, feed="feed"):
    return Place(feed, position, mark(position))


def test_an_empty_replica_says_that_it_is_empty(source):
    with pytest.raises(EmptyIndexError):
        source.place()
    with pytest.raises(EmptyIndexError):
        source.after(place(1))


def test_what_follows_a_place_comes_in_order_with_its_marks(index, source):
    load(index, REGISTER, key(1))
    apply(index, key(2), ORGANIZATION, RULES)
    apply(index, key(1, revoked=5), REGISTER)
    expected = [
        change(2, key(2)),
        change(3, ORGANIZATION),
        change(4, RULES),
        change(5, key(1, revoked=5)),
        change(6, REGISTER),
    ]
    assert expected == source.after(place(1))
    assert expected[3:] == source.after(place(4))
    assert [] == source.after(place(6))
    assert expected[:2] == source.after(place(1), most=2)


def test_a_thing_that_changed_twice_is_told_as_it_is_now(index, source):
    load(index)
    apply(index, key(1), key(1, revoked=7))
    assert [key(1, revoked=7)] * 2 == [told.state for told in source.after(place(1))]


@pytest.mark.parametrize(
    "strange",
    [
        Place("feed", 9, mark(9)),  # beyond
        Place("feed", 2, mark(3)),  # another mark: one of the two went back in time
        Place("other", 2, mark(2)),
        Place("feed", 4, mark(9)),  # here, but another one
        Place("feed", 0, mark(0)),  # before the snapshot this replica was loaded from
    ],
)
def test_a_place_of_another_history_is_never_followed(index, source, strange):
    load(index)
    apply(index, key(1), key(2), key(3))
    with pytest.raises(NotKeptError):
        source.after(strange)


def test_what_is_too_far_back_is_forgotten(index, source, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 4)
    load(index)
    for number in range(8):
        apply(index, key(number))
    assert [7, 8, 9] == [told.position for told in source.after(place(6))]
    with pytest.raises(NotKeptError):
        source.after(place(5))
    with index.view() as view:
        assert 4 == sum(bytes(name).startswith(history.PREFIX) for name, _ in view.cursor())


ROWS = [history._name(2), name_of(key(1).id), ORGANIZATION_NAME + ORGANIZATION.id.encode(), CATALOG, RULES_NAME, PLACE]


@pytest.mark.parametrize("name", ROWS)
def test_a_bit_that_flipped_is_told_to_nobody_and_has_the_replica_built_again(index, source, name):
    load(index)
    apply(index, key(1), ORGANIZATION, REGISTER, RULES)
    with index.writing() as writer:
        row = bytearray(writer._transaction.get(name))
        row[3] ^= 1
        writer._transaction.put(name, bytes(row))
    with pytest.raises(DamagedRecordError, match="checksum"):
        source.after(place(1))
    with index.writing() as writer:
        assert None is writer.place()


def test_a_snapshot_is_everything_as_of_one_place_while_writes_go_on(index, source):
    load(index, REGISTER, RULES, ORGANIZATION, *(key(number) for number in range(BATCH + 3)))
    with source.snapshot() as (here, batches):
        apply(index, key(0, revoked=1), key(999))
        told = [one for batch in batches for one in batch]
    assert place(1) == here
    assert [REGISTER, RULES, ORGANIZATION, *(key(number) for number in range(BATCH + 3))] == [one.state for one in told]
    assert {(1, mark(1))} == {(one.position, one.mark) for one in told}
