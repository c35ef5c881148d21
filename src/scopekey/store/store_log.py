"""The log in a store, as a verification reads it: every row, in runs, each compared with what its entry says."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import msgspec

from scopekey.audit.entry import Entry, read_entry
from scopekey.audit.source import Run
from scopekey.audit.tiles import TILE_WIDTH
from scopekey.store.entry_columns import columns_of
from scopekey.store.log_tables import entries
from scopekey.store.transaction import Transaction

_RUN = 16 * TILE_WIDTH
_NAMES = [column.name for column in entries.columns]

Bundle = Callable[[int, int], Sequence[bytes] | None]
"""The entries of a bundle that were moved out of the store, by its number and width; None where they are not there."""


class StoreLog:
    """A `LogSource` of one reading transaction; with a `bundle` for what is in the archive."""

    def __init__(self, tx: Transaction, bundle: Bundle | None = None) -> None:
        self._tx = tx
        self._bundle = bundle
        self._archived = tx.log.state().archived

    def begins(self) -> int:
        """Entries below this index cannot be read from here."""
        return self._archived if self._bundle is None else 0

    def checkpoint(self) -> str:
        """The newest checkpoint, and "" where there is none."""
        newest = self._tx.log.checkpoint()
        return "" if newest is None else newest.note

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """All checkpoints, each after its size, the smallest first."""
        return ((checkpoint.size, checkpoint.note) for checkpoint in self._tx.log.checkpoints())

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile."""
        return self._tx.log.tile(level, number)

    def bundles(self, size: int) -> Iterator[Run]:  # noqa: ARG002 - a transaction sees nothing that came later
        """The entries in the archive, then those of the table."""
        if self._bundle is not None:
            for first in range(0, self._archived, TILE_WIDTH):
                try:
                    bodies = self._bundle(first // TILE_WIDTH, TILE_WIDTH)
                except ValueError as error:
                    yield Run(first, (b"",), {first: f"its bundle in the archive cannot be read: {error}"})
                    return
                if bodies is not None:
                    yield Run(first, bodies)
        after = self._archived - 1
        while rows := self._tx.log_reader.rows(after, _RUN):
            yield from _runs(rows)
            after = rows[-1][0]


def _runs(rows: Sequence[Sequence[Any]]) -> Iterator[Run]:
    """Rows as the runs without a gap that they make: nearly always one."""
    begin = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at][0] != rows[at - 1][0] + 1:
            yield _run(rows[begin:at])
            begin = at


def _run(rows: Sequence[Sequence[Any]]) -> Run:
    bodies = [row[-1] for row in rows]
    # Nearly always all of them are right: only where one is not, it is asked which.
    if _same(rows, bodies):
        return Run(rows[0][0], bodies)
    return Run(rows[0][0], [body if isinstance(body, bytes) else b"" for body in bodies], dict(_faults(rows)))


def _same(rows: Sequence[Sequence[Any]], bodies: Sequence[Any]) -> bool:
    try:
        said = [columns_of(_searched(body), body) for body in bodies]
    except (TypeError, msgspec.MsgspecError, UnicodeDecodeError):
        return False
    # SQLite keeps whatever it is given: a text can stand where bytes must, and would be read all the same.
    return said == [row[1:] for row in rows] and set(map(type, bodies)) == {bytes}


def _faults(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[int, str]]:
    for row in rows:
        try:
            said = columns_of(read_entry(bytes(row[-1])), row[-1])
        except (TypeError, msgspec.MsgspecError, UnicodeDecodeError):
            yield row[0], "what stands there is no entry"
            continue
        if said != row[1:]:
            yield row[0], _difference(row, said)


class _Searched(msgspec.Struct, gc=False):
    """Of an entry only what a search needs: a verification reads all there are, and most of each does not matter."""

    at: int
    kind: str
    organization: str | None = None
    key: str | None = None
    action: str | None = None
    operation: str | None = None
    request_id: str | None = None
    allowed: bool | None = None
    report: bool | None = None
    code: str | None = None


_searched = cast("Callable[[bytes], Entry]", msgspec.json.Decoder(_Searched).decode)


def _difference(row: Sequence[Any], said: Sequence[Any]) -> str:
    names = [name for name, stands, says in zip(_NAMES[1:], row[1:], said, strict=True) if stands != says]
    return f"it is found by another {' and '.join(names)} than it says"
