"""Batches that were written: their numbers, several of them as one, and one without what nobody can record.

The texts in them are passed on as they stand; only the places in the tables move.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from scopekey.wire.decisions import UnreadableBatchError, read_batch, write_batch

_OPERATION, _GRANT = 1, 5


class Head(msgspec.Struct, frozen=True, gc=False):
    """The numbers of a batch."""

    offset: int
    lost: int
    durable: bool
    decisions: list[Raw]
    refusals: list[Raw]
    cut: int = 0

    @property
    def next(self) -> int:
        """The number after that of the last record."""
        return self.offset + len(self)

    def __len__(self) -> int:
        return len(self.decisions) + len(self.refusals) + (self.cut > 0)


class _Loose(msgspec.Struct, frozen=True, gc=False):
    node: str
    file: str
    offset: int
    lost: int
    durable: bool
    operations: list[Raw]
    grants: list[Raw]
    decisions: list[list[Any]]
    refusals: list[Raw]
    cut: int = 0


_head = msgspec.json.Decoder(Head)
_loose = msgspec.json.Decoder(_Loose)


def head_of(batch: bytes) -> Head | None:
    """Read the numbers of a batch, None where it is none."""
    try:
        return _head.decode(batch)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def join(batches: Sequence[bytes], lost: int) -> bytes:
    """Write batches of one file that follow one another as one, before which so many records were lost.

    Only the last of them may hold anything but decisions.
    """
    parts = list(map(_loose.decode, batches))
    first, last = parts[0], parts[-1]
    operations: dict[bytes, int] = {}
    grants: dict[bytes, int] = {}
    rows: list[list[Any]] = []
    for part in parts:
        about = [operations.setdefault(bytes(one), len(operations)) for one in part.operations]
        held = [grants.setdefault(bytes(one), len(grants)) for one in part.grants]
        for row in part.decisions:
            row[_OPERATION] = about[row[_OPERATION]]
            if row[_GRANT] is not None:
                row[_GRANT] = held[row[_GRANT]]
            rows.append(row)
    return write_batch(
        node=first.node,
        file=first.file,
        offset=first.offset,
        lost=lost,
        durable=first.durable,
        operations=list(map(Raw, operations)),
        grants=list(map(Raw, grants)),
        decisions=rows,
        refusals=last.refusals,
        cut=last.cut,
    )


def readable_parts(batch: bytes) -> tuple[list[bytes], int]:
    """A batch without the records that no reader of our own version takes, and how many these are.

    Each record keeps its number, so what is left comes in parts, and each says what was lost before it. Slow.
    """
    whole = _loose.decode(batch)
    records: list[tuple[str, Any]] = [("decisions", row) for row in whole.decisions]
    records += [("refusals", row) for row in whole.refusals]
    runs: list[tuple[int, list[tuple[str, Any]]]] = []
    reached, bad = -1, 0
    for at, record in enumerate(records):
        if not _is_readable(_part(whole, whole.offset, 0, [record])):
            bad += 1
        elif reached == at and runs:
            runs[-1][1].append(record)
            reached = at + 1
        else:
            runs.append((at, [record]))
            reached = at + 1
    parts, expected = [], whole.offset - whole.lost
    for at, run in runs:
        offset = whole.offset + at
        parts.append(_part(whole, offset, offset - expected, run))
        expected = offset + len(run)
    end = whole.offset + len(records)
    if expected < end:
        parts.append(_part(whole, end, end - expected, []))
    return parts, bad


def _part(whole: _Loose, offset: int, lost: int, records: Sequence[tuple[str, Any]]) -> bytes:
    return write_batch(
        node=whole.node,
        file=whole.file,
        offset=offset,
        lost=lost,
        durable=whole.durable,
        operations=whole.operations,
        grants=whole.grants,
        decisions=[row for kind, row in records if kind == "decisions"],
        refusals=[row for kind, row in records if kind == "refusals"],
    )


def _is_readable(batch: bytes) -> bool:
    try:
        read_batch(batch, bytes)
    except UnreadableBatchError:
        return False
    return True
