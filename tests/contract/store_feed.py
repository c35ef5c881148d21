"""The feed of a store: positions that are dense and in commit order, and snapshots."""

# ruff: noqa: PT012 - a transaction is a block of statements, and its end may be what is refused

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import msgspec
import pytest

from scopekey.store import changes
from scopekey.store.engine import Store
from scopekey.store.errors import (
    AnotherHistoryError,
    StoreError,
)
from tests.contract.store_made import ACME, CATALOG, OTHER, RULES, add_key, announce, give_up, key_row, mark


def write_and_sometimes_give_up(store, writer):
    """Add eight keys, and four more that are rolled back; gives the positions of those that were committed."""
    given = []
    for turn in range(12):
        name, number = f"{writer}x{turn}", 100 + writer * 12 + turn
        if turn % 3:
            given.append(add_key(store, name, number))
            continue
        with suppress(ZeroDivisionError), store.writing() as tx:
            tx.keys.insert(key_row(name))
            announce(tx, ("key", key_row(name).key.id), first_mark=number)
            give_up()
    return given


def follow(store, writing):
    """Follow the feed until nobody writes any more; gives every position in the order it was seen."""
    place, seen = ("feed-one", 2, mark(2)), []
    while True:
        last = not writing.is_set()
        with store.reading() as tx:
            found = tx.changes.after(place, 5)
        if not found and last:
            return seen
        for change in found:
            seen.append(change.position)
            place = ("feed-one", change.position, change.mark)


class Feed:
    """Whoever follows misses nothing and sees nothing twice."""

    def test_a_rollback_leaves_no_gap(self, store):
        with pytest.raises(ZeroDivisionError), store.writing() as tx:
            tx.keys.insert(key_row("a"))
            assert [3] == announce(tx, ("key", key_row("a").key.id), first_mark=3)
            give_up()
        assert 3 == add_key(store, "b", 4)
        with store.reading() as tx:
            assert ("feed-one", 3, mark(4)) == tx.changes.place()

    def test_positions_are_dense_and_in_commit_order_while_many_write_and_some_give_up(self, store):
        writing = threading.Event()
        writing.set()
        with ThreadPoolExecutor(5) as threads:
            follower = threads.submit(follow, store, writing)
            writers = [threads.submit(write_and_sometimes_give_up, store, writer) for writer in range(4)]
            wait(writers)
            writing.clear()
            given = [position for writer in writers for position in writer.result()]
            followed = follower.result()
        everything = list(range(3, 35))
        assert (everything, everything) == (sorted(given), followed)

    def test_what_follows_a_place_is_each_thing_as_it_is_now(self, store):
        add_key(store, "a", 3)
        with store.writing() as tx:
            tx.documents.put("rules", RULES, 7)
            narrowed = msgspec.structs.replace(key_row("a").key, version=2, grant=0)
            tx.keys.update(msgspec.structs.replace(key_row("a"), key=narrowed), 1)
            assert [4, 5] == announce(tx, ("rules", "rules"), ("key", narrowed.id), first_mark=4)
        with store.reading() as tx:
            found = tx.changes.after(("feed-one", 1, mark(1)), 3)
            rest = tx.changes.after(("feed-one", 4, mark(4)), 3)
            assert [] == tx.changes.after(tx.changes.place(), 3)
        assert [(2, mark(2), OTHER), (3, mark(3), narrowed), (4, mark(4), RULES)] == [
            (change.position, change.mark, change.state) for change in found
        ]
        assert [(5, narrowed)] == [(change.position, change.state) for change in rest]

    def test_a_feed_can_be_followed_from_its_very_beginning(self, store):
        with store.reading() as tx:
            assert [1, 2] == [change.position for change in tx.changes.after(("feed-one", 0, b""), 9)]

    @pytest.mark.parametrize(
        "place",
        [
            ("feed-two", 2, mark(2)),
            ("feed-one", 3, mark(3)),
            ("feed-one", -1, mark(3)),
            ("feed-one", 2, mark(9)),
            ("feed-one", 1, mark(9)),
            ("feed-one", 0, mark(9)),
        ],
        ids=["another feed", "a later position", "no position", "another last mark", "another mark", "a mark at 0"],
    )
    def test_a_place_of_another_history_is_refused(self, store, place):
        with store.reading() as tx, pytest.raises(AnotherHistoryError):
            tx.changes.after(place, 10)

    def test_a_place_that_is_no_longer_kept_is_refused(self, store):
        add_key(store, "a", 3)
        with store.writing() as tx:
            tx.connection.exec_driver_sql("DELETE FROM changes WHERE position <= 2")
        with store.reading() as tx:
            for place in (("feed-one", 1, mark(1)), ("feed-one", 0, b""), ("feed-one", 2, mark(2))):
                with pytest.raises(AnotherHistoryError):
                    tx.changes.after(place, 10)
            assert [] == tx.changes.after(("feed-one", 3, mark(3)), 10)

    def test_what_does_not_exist_cannot_be_announced(self, store):
        with pytest.raises(ValueError, match="there is no key"), store.writing() as tx:
            announce(tx, ("key", "key_000000000000"), first_mark=3)

    def test_a_store_without_a_feed_says_that_it_was_never_initialised(self, url):
        store = Store.open(url)
        with store.reading() as tx, pytest.raises(StoreError, match="scopekey init"):
            tx.changes.place()
        store.close()

    def test_a_snapshot_holds_everything_in_order_with_its_last_change(self, store, monkeypatch):
        monkeypatch.setattr(changes, "BATCH", 2)
        for number, name in enumerate("cAab"):
            add_key(store, name, 3 + number)
        with store.writing() as tx:
            tx.documents.put("catalog", CATALOG, 7)
            tx.documents.put("rules", RULES, 7)
            announce(tx, ("rules", "rules"), ("catalog", "catalog"), first_mark=7)
        with store.reading() as tx:
            found = [(change.position, change.mark, change.state) for change in tx.changes.snapshot()]
        keys = [(at, mark(at), key_row(name).key) for at, name in ((4, "A"), (5, "a"), (6, "b"), (3, "c"))]
        things = [(8, mark(8), CATALOG), (7, mark(7), RULES), (1, mark(1), ACME), (2, mark(2), OTHER)]
        assert things + keys == found

    def test_a_snapshot_is_as_of_its_place_while_others_go_on_writing(self, store, monkeypatch):
        monkeypatch.setattr(changes, "BATCH", 1)
        add_key(store, "a", 3)
        add_key(store, "c", 4)
        with store.reading() as tx:
            place = tx.changes.place()
            snapshot = tx.changes.snapshot()
            begun = [next(snapshot), next(snapshot), next(snapshot)]
            add_key(store, "b", 5)
            with store.writing() as other:
                other.keys.update(msgspec.structs.replace(key_row("c"), key=key_row("c", grant=0b1111).key), 1)
                announce(other, ("key", key_row("c").key.id), first_mark=6)
            found = [*begun, *snapshot]
        assert (4, 6) == (place.position, add_key(store, "d", 7) - 1)
        assert [key_row("a").key, key_row("c").key] == [change.state for change in found[2:]]
        assert max(change.position for change in found) == place.position
