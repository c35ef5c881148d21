"""The last changes a replica has taken over, kept in it so that others can follow from here.

One row for each position: its mark, and which thing was changed. The state itself is the present one,
read when it is asked for. Older ones are forgotten: who is further behind takes a snapshot.
"""

from collections.abc import Iterator
from struct import Struct

import lmdb

from scopekey.core.change import MARK_SIZE, Change
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.replica.record import UnreadableRecordError, seal, unseal
from scopekey.wire.changes import kind_of

KEPT = 65_536
"""How many changes are kept: some megabytes."""

PREFIX = b"~change/"
_NAME = Struct(f">{len(PREFIX)}sQ")
_MARK = Struct(f"<{MARK_SIZE}s")
_LOADED = b"loaded"


class NotKeptError(Exception):
    """The place is of another history, or too far back: only a snapshot helps."""


def remember(transaction: lmdb.Transaction, change: Change) -> None:
    """Keep what was changed at a position, and forget what is too old."""
    state = change.state
    subject = state.id if isinstance(state, Key | Organization) else kind_of(state)
    _put(transaction, change.position, change.mark, subject.encode())
    if change.position > KEPT:
        transaction.delete(_name(change.position - KEPT))


def begin(transaction: lmdb.Transaction, position: int, mark: bytes) -> None:
    """Keep the place of a snapshot: whoever stands right there can follow."""
    _put(transaction, position, mark, _LOADED)


def changed(transaction: lmdb.Transaction, position: int, mark: bytes, most: int) -> Iterator[tuple[int, bytes, str]]:
    """List position, mark and subject of what followed a place. Raises NotKeptError."""
    cursor = transaction.cursor()
    if not cursor.set_key(_name(position)):
        raise NotKeptError(f"what was changed after position {position} is not kept here")
    found, _ = _read(position, bytes(cursor.value()))
    if found != mark:
        raise NotKeptError(f"position {position} has another mark here: one of the two histories went back in time")
    for at in range(position + 1, position + 1 + most):
        if not cursor.next() or bytes(cursor.key()) != _name(at):
            return
        following, subject = _read(at, bytes(cursor.value()))
        yield at, following, subject


def _name(position: int) -> bytes:
    return _NAME.pack(PREFIX, position)


def _put(transaction: lmdb.Transaction, position: int, mark: bytes, subject: bytes) -> None:
    name = _name(position)
    transaction.put(name, seal(name, _MARK.pack(mark) + subject))


def _read(position: int, row: bytes) -> tuple[bytes, str]:
    value = unseal(_name(position), row)
    if len(value) < _MARK.size:
        raise UnreadableRecordError(f"the history of the replica is damaged at position {position}")
    return value[: _MARK.size], value[_MARK.size :].decode()
