"""Whoever commits applies: bring the replica of this machine level with the store.

The replica has one writer at a time. It applies every change from the replica's place on, its own and
those of others, or rebuilds where the store's history is another one. Where the replica stands exactly
before its own, nothing is between, and nothing has to be read from the store.
"""

from collections.abc import Callable
from typing import NamedTuple

from scopekey.core.change import Change
from scopekey.replica.clock import milliseconds
from scopekey.replica.freshness import Level, milliseconds_since_boot
from scopekey.replica.index import Index, IndexWriter, Place
from scopekey.store.engine import Store
from scopekey.store.errors import AnotherHistoryError

BATCH = 1_000


class Committed(NamedTuple):
    """Changes that follow each other: those of one transaction, as it wrote them, and the store's place before.

    `at` is a moment at which the store held nothing that is neither before nor among them.
    """

    before: Place
    changes: list[Change]
    at: Level


def moment(clock: Callable[[], int] = milliseconds) -> Level:
    """Now, by both clocks: take it before the store is read, to say afterwards that the replica was level then."""
    return Level(clock(), milliseconds_since_boot())


def catch_up(
    store: Store,
    index: Index,
    *,
    settle: bytes | None = None,
    own: Committed | None = None,
    clock: Callable[[], int] = milliseconds,
) -> Place:
    """Apply what is committed, `own` and all before it, say how new the replica is, and give the place reached.

    `settle` takes back a pending mark.

    A store that went back in time (an old copy put back) no longer knows the replica's place or its
    mark: then the replica is rebuilt from what the store says now.
    """
    level = moment(clock)
    with index.writing() as writer:
        place = _apply(writer, own)
        if place is not None and own is not None:
            level = own.at
        else:
            place = _follow(store, writer) or _rebuild(store, writer)
        if settle is not None:
            writer.settle(settle)
    index.leveled(level)
    return place


def _apply(writer: IndexWriter, own: Committed | None) -> Place | None:
    """Apply what this process has just committed, or None where the replica is anywhere but right before it.

    The place is compared with its mark, which the store said under the lock of the feed: the history is
    the same. What others commit after it, they apply; but where one of them died, only the store knows
    what became of its commit.
    """
    if own is None or not own.changes or writer.place() != own.before or writer.orphaned():
        return None
    writer.apply(own.changes)
    last = own.changes[-1]
    return Place(own.before.feed_id, last.position, last.mark)


def _follow(store: Store, writer: IndexWriter) -> Place | None:
    """Apply what follows the replica's place, or None where nothing can."""
    place = writer.place()
    if place is None:
        return None
    while True:
        try:
            changes = _after(store, place)
        except AnotherHistoryError:
            return None
        if not changes:
            return place
        writer.apply(changes)
        place = Place(place.feed_id, changes[-1].position, changes[-1].mark)


def _after(store: Store, place: Place) -> list[Change]:
    with store.reading() as tx:
        return tx.changes.after(place, BATCH)


def _rebuild(store: Store, writer: IndexWriter) -> Place:
    with store.reading() as tx:
        place = Place(*tx.changes.place())
        writer.load(place, tx.changes.snapshot())
        return place
