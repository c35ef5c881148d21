"""Whoever commits applies: bring the replica of this machine level with the store.

The replica has one writer at a time. It applies every change from the replica's place on, its own and
those of others, or rebuilds where the store's history is another one.
"""

from scopekey.core.change import Change
from scopekey.replica.index import Index, IndexWriter, Place
from scopekey.store.engine import Store
from scopekey.store.errors import AnotherHistoryError

BATCH = 1_000


def catch_up(store: Store, index: Index, *, settle: bytes | None = None) -> Place:
    """Apply all that is committed, and give the place reached. `settle` takes back a pending mark.

    A store that went back in time (an old copy put back) no longer knows the replica's place or its
    mark: then the replica is rebuilt from what the store says now.
    """
    with index.writing() as writer:
        place = _follow(store, writer) or _rebuild(store, writer)
        if settle is not None:
            writer.settle(settle)
        return place


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
