"""The row that says where an index is, and of which version its file is."""

from struct import Struct, error

import lmdb

from scopekey.core.change import MARK_SIZE
from scopekey.replica.index import Place
from scopekey.replica.lmdb_file import DAMAGE, EarlierVersionError
from scopekey.replica.record import UnreadableRecordError, seal, unseal

PLACE = b"~place"

# format, position, epoch, mark; then the feed's id
_PLACE = Struct(f"<BQQ{MARK_SIZE}s")
_FORMAT = 2
# The format before this one, whose rows had no seals: none of them can be read, and none of them is damaged.
_UNSEALED = b"\x01"


def pack_place(place: Place, epoch: int) -> bytes:
    """Write a place and the epoch, sealed."""
    return seal(PLACE, _PLACE.pack(_FORMAT, place.position, epoch, place.mark) + place.feed_id.encode())


def read_place(sealed: bytes) -> tuple[Place, int]:
    """Read a place and the epoch. Raises UnreadableRecordError."""
    packed = unseal(PLACE, sealed)
    try:
        number, position, epoch, mark = _PLACE.unpack_from(packed)
        feed_id = packed[_PLACE.size :].decode()
    except (error, UnicodeDecodeError) as fault:
        raise UnreadableRecordError("the place of the index is damaged") from fault
    if number != _FORMAT:
        raise UnreadableRecordError(f"the index has the unknown format {number}")
    return Place(feed_id, position, mark), epoch


def refuse_earlier(environment: lmdb.Environment) -> None:
    """Raise EarlierVersionError where an earlier version wrote the file."""
    with environment.begin() as view:
        sealed = view.get(PLACE)
    if sealed is not None and sealed[:1] == _UNSEALED:
        raise EarlierVersionError("its rows have no checksums")


def position_in(environment: lmdb.Environment) -> int | None:
    """The position that a file is at, -1 where it has none, None where the row cannot be read: who reads it says so.

    Raises lmdb.Error where it cannot be told now.
    """
    try:
        with environment.begin() as view:
            sealed = view.get(PLACE)
    except DAMAGE:
        return -1
    try:
        return -1 if sealed is None else read_place(bytes(sealed))[0].position
    except UnreadableRecordError:
        return None
