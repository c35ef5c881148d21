"""The log as rows: its size, its tiles and checkpoints, and what waits to be numbered.

Whoever appends holds the one row of its size, so that one process at a time numbers entries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from scopekey.store.dialect import write_rows
from scopekey.store.log_tables import arrivals, checkpoints, entries, log, tiles

_state = select(log.c.size, log.c.archived, log.c.folded)
_hold = _state.with_for_update(skip_locked=True)
_hold_later = _state.with_for_update()
_grow = update(log).values(size=bindparam("now"))
_archive = update(log).values(archived=bindparam("now"))
_fold = update(log).values(folded=bindparam("now"))
_arrived = select(arrivals.c.id, arrivals.c.body).order_by(arrivals.c.id).limit(bindparam("most"))
_forget = delete(arrivals).where(arrivals.c.id.between(bindparam("first"), bindparam("last")))
_tile = select(tiles.c.hashes).where(tiles.c.level == bindparam("at_level"), tiles.c.number == bindparam("at_number"))
_drop_tile = delete(tiles).where(tiles.c.level == bindparam("at_level"), tiles.c.number == bindparam("at_number"))
_checkpoint = insert(checkpoints)
_newest = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
_since = select(checkpoints).where(checkpoints.c.size > bindparam("after")).order_by(checkpoints.c.size)
_sealed = (
    select(checkpoints.c.at).where(checkpoints.c.size <= bindparam("upto")).order_by(checkpoints.c.size.desc()).limit(1)
)
_before = (
    select(checkpoints.c.size)
    .where(checkpoints.c.at < bindparam("moment"))
    .order_by(checkpoints.c.at.desc(), checkpoints.c.size.desc())
    .limit(1)
)
_waiting = select(func.count()).select_from(arrivals)
_bodies = (
    select(entries.c.body)
    .where(entries.c.log_index >= bindparam("first"), entries.c.log_index < bindparam("end"))
    .order_by(entries.c.log_index)
)
_drop_entries = delete(entries).where(entries.c.log_index < bindparam("before"))


class LogState(msgspec.Struct, frozen=True):
    """How many entries are numbered; below which index they are no longer in the table, and their use is told."""

    size: int
    archived: int
    folded: int


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An entry that waits for its number."""

    id: int
    body: bytes


Row = tuple[Any, ...]
"""An entry's index in the log, and its columns (`entry_columns.columns_of`)."""


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint as it was signed: `note` is the whole of it; `at` is when, in milliseconds since the epoch."""

    size: int
    at: int
    note: str


class Log:
    """What the log is made of."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self) -> LogState | None:
        """Keep everybody else from appending until the commit; None where somebody else is at it."""
        row = self._connection.execute(_hold).first()
        return None if row is None else LogState(row.size, row.archived, row.folded)

    def wait_to_hold(self) -> LogState:
        """The same, after whoever else is at it. Raises StoreUnavailableError where that takes too long."""
        row = self._connection.execute(_hold_later).one()
        return LogState(row.size, row.archived, row.folded)

    def state(self) -> LogState:
        """How far the log reaches."""
        row = self._connection.execute(_state).one()
        return LogState(row.size, row.archived, row.folded)

    def waiting(self) -> int:
        """How many entries have no number yet."""
        return int(self._connection.execute(_waiting).scalar_one())

    def arrivals(self, most: int) -> list[Arrival]:
        """The entries that wait, in the order in which they came."""
        return [Arrival(row.id, bytes(row.body)) for row in self._connection.execute(_arrived, {"most": most})]

    def append(self, rows: Sequence[Row], taken: Sequence[Arrival]) -> None:
        """Write rows of the log, whose entries no longer wait then. Only while the log is held."""
        write_rows(self._connection, entries, rows)
        for low, high in _runs(one.id for one in taken):
            self._connection.execute(_forget, {"first": low, "last": high})
        self._connection.execute(_grow, {"now": rows[-1][0] + 1})

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, as many as there are; none where there is no tile."""
        found = self._connection.execute(_tile, {"at_level": level, "at_number": number}).scalar()
        return b"" if found is None else bytes(found)

    def put_tiles(self, changed: Mapping[tuple[int, int], bytes]) -> None:
        """Write tiles that grew or are new."""
        if not changed:
            return
        places = [{"at_level": level, "at_number": number} for level, number in changed]
        self._connection.execute(_drop_tile, places)
        self._connection.execute(
            insert(tiles),
            [{"level": level, "number": number, "hashes": hashes} for (level, number), hashes in changed.items()],
        )

    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a signed checkpoint."""
        self._connection.execute(_checkpoint, msgspec.structs.asdict(checkpoint))

    def checkpoint(self) -> StoredCheckpoint | None:
        """The newest checkpoint; None before the first entry was sealed."""
        row = self._connection.execute(_newest).first()
        return None if row is None else StoredCheckpoint(**row._mapping)  # noqa: SLF001 - the row's public view

    def checkpoints(self, after: int = 0) -> Iterator[StoredCheckpoint]:
        """The checkpoints of greater sizes, the smallest first."""
        for row in self._connection.execute(_since, {"after": after}):
            yield StoredCheckpoint(**row._mapping)  # noqa: SLF001 - the row's public view

    def sealed_at(self, size: int) -> int | None:
        """When the newest of the first so many entries was sealed, in milliseconds since the epoch."""
        found = self._connection.execute(_sealed, {"upto": size}).scalar()
        return None if found is None else int(found)

    def size_at(self, moment: int) -> int:
        """How many entries were sealed before a moment."""
        return int(self._connection.execute(_before, {"moment": moment}).scalar() or 0)

    def bodies(self, first: int, end: int) -> list[bytes]:
        """The entries from one index to before another, as far as they are in the table."""
        return [bytes(row.body) for row in self._connection.execute(_bodies, {"first": first, "end": end})]

    def fold(self, upto: int) -> None:
        """Say that the use of all entries below an index is told. Only while the log is held."""
        self._connection.execute(_fold, {"now": upto})

    def archive(self, before: int) -> None:
        """Drop the entries below an index: they are in the archive. Only while the log is held."""
        self._connection.execute(_drop_entries, {"before": before})
        self._connection.execute(_archive, {"now": before})


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Whole numbers in order, as the runs without a gap that they make: only what was read may be forgotten."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [(low, high) for low, high in runs]
