"""The feed as this machine's replica can tell it: what changed after a place, and everything at once.

The control plane and a relaying gateway stand on the same thing: whoever commits applies, so a replica
knows what its store knows. No SQL, and the same lines whoever asks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import lmdb

from scopekey.core.change import Change, State
from scopekey.core.ids import KeyId, PepperId
from scopekey.replica import history
from scopekey.replica.index import Place
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.lmdb_writer import CATALOG, ORGANIZATION, RULES
from scopekey.replica.place_row import PLACE, read_place
from scopekey.replica.record import UnreadableRecordError, name_of, unpack, unseal
from scopekey.wire.changes import decode_state

BATCH = 500
"""How many things are read at once: about a millisecond's work."""
_DOCUMENTS = {"catalog": CATALOG, "rules": RULES}
_FIRST_OTHER = b"~"


class FeedSource:
    """Reads the replica for followers. `peppers` gives the ids of those that live keys were digested with."""

    def __init__(self, index: LmdbIndex, peppers: Callable[[], tuple[PepperId, ...]]) -> None:
        self.index = index
        self.peppers = peppers

    def place(self) -> Place:
        """Where the replica is. Raises EmptyIndexError."""
        with self.index.view() as view:
            return _place(view)

    def after(self, place: Place, most: int = BATCH) -> list[Change]:
        """List what was changed after a place of this history, each thing as it is now.

        Raises NotKeptError where the place is none of this history, or too far back; EmptyIndexError.
        """
        with self.index.view() as view:
            here = _place(view)
            if place.feed_id != here.feed_id:
                raise history.NotKeptError("the place is of another feed")
            if place.position > here.position:
                raise history.NotKeptError(f"position {place.position} was never reached here")
            if place[1:] == here[1:]:
                return []
            listed = list(history.changed(view, place.position, place.mark, most))
            return [Change(position, mark, _state(view, subject)) for position, mark, subject in listed]

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Place, Iterator[list[Change]]]]:
        """Everything as of one place, in batches, from one read view. Raises EmptyIndexError.

        Catalog, rules, organizations, then keys by id. Position and mark of every line are the place's.
        """
        with self.index.view() as view:
            here = _place(view)
            yield here, _everything(view, here)


def _everything(view: lmdb.Transaction, here: Place) -> Iterator[list[Change]]:
    for name, kind in _others(view):
        yield [Change(here.position, here.mark, _decoded(view, name, kind))]
    batch: list[Change] = []
    for row, record in view.cursor():
        name = bytes(row)
        if name >= _FIRST_OTHER:
            break
        key = unpack(KeyId("key_" + name.decode("ascii")), name, bytes(record))
        batch.append(Change(here.position, here.mark, key))
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _place(view: lmdb.Transaction) -> Place:
    packed = view.get(PLACE)
    if packed is None:
        raise UnreadableRecordError("the replica does not say where it is")
    return read_place(bytes(packed))[0]


def _others(view: lmdb.Transaction) -> Iterator[tuple[bytes, str]]:
    for subject, name in _DOCUMENTS.items():
        if view.get(name) is not None:
            yield name, subject
    cursor = view.cursor()
    found = cursor.set_range(ORGANIZATION)
    while found and bytes(cursor.key()).startswith(ORGANIZATION):
        yield bytes(cursor.key()), "organization"
        found = cursor.next()


def _state(view: lmdb.Transaction, subject: str) -> State:
    if subject.startswith("key_"):
        name = name_of(KeyId(subject))
        record = view.get(name)
        if record is None:
            raise UnreadableRecordError(f"{subject} was changed, but is not in the replica")
        return unpack(KeyId(subject), name, bytes(record))
    if subject.startswith("org_"):
        return _decoded(view, ORGANIZATION + subject.encode(), "organization")
    return _decoded(view, _DOCUMENTS[subject], subject)


def _decoded(view: lmdb.Transaction, name: bytes, kind: str) -> State:
    row = view.get(name)
    if row is None:
        raise UnreadableRecordError(f"the {kind} is not in the replica")
    return decode_state(kind, unseal(name, bytes(row)))
