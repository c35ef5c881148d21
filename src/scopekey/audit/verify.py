"""Verify a log: everything is derived again from the entries themselves, and the first fault is named.

What is stored beside them (hashes, tiles, checkpoints) is compared and never believed. A verification
that finds a fault is a value, as a refusal is; only what keeps it from looking is an exception.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Literal

import msgspec

from scopekey.audit.checkpoint import Checkpoint, CheckpointError, read_checkpoint
from scopekey.audit.merkle import EMPTY_ROOT, HASH_SIZE
from scopekey.audit.note import VerifierKey
from scopekey.audit.peaks import Peaks
from scopekey.audit.source import LogSource, Run
from scopekey.audit.tiles import TILE_WIDTH, subtree_hash, tile_path

_WHOLE = TILE_WIDTH * HASH_SIZE
Fault = Literal["entry", "missing", "order", "tile", "checkpoint", "head"]


class Intact(msgspec.Struct, frozen=True):
    """Nothing was changed. `entries` were read, from the index `begins` on; before it only hashes are kept."""

    origin: str
    size: int
    root: bytes
    begins: int
    entries: int
    checkpoints: int
    heads: int


class Broken(msgspec.Struct, frozen=True):
    """The first thing that does not fit: the index of an entry, or the size of a checkpoint or head."""

    fault: Fault
    why: str
    index: int | None = None
    size: int | None = None

    # A plain value is true: without this a broken log would pass for an intact one.
    def __bool__(self) -> Literal[False]:
        return False


def verify_log(
    source: LogSource, key: VerifierKey, *, heads: Sequence[str] = (), told: Callable[[int], None] | None = None
) -> Intact | Broken:
    """Verify all of a log that this key signs. `heads` are checkpoints of it that were kept elsewhere.

    `told` is told now and then how many entries are done.
    """
    try:
        newest = source.checkpoint()
        whole = read_checkpoint(newest, key) if newest is not None else Checkpoint(key.name, 0, EMPTY_ROOT)
    except CheckpointError as error:
        return Broken("checkpoint", f"the newest checkpoint is none of this log: {error}")
    try:
        kept = sorted((read_checkpoint(head, key) for head in heads), key=lambda head: head.size)
    except CheckpointError as error:
        return Broken("head", f"a head that was kept is none of this log: {error}")
    beyond = next((head for head in kept if head.size > whole.size), None)
    if beyond is not None:
        why = (
            f"a head of {beyond.size} entries was kept, and the log has {whole.size}: "
            "it was cut, or an older copy was put back"
        )
        return Broken("head", why, size=beyond.size)
    verification = _Verification(source, key, whole, kept)
    try:
        verification.run(told)
    except _FoundError as found:
        return found.broken
    return Intact(
        whole.origin, whole.size, whole.root, source.begins, verification.entries, verification.checkpoints, len(kept)
    )


class _FoundError(Exception):
    def __init__(self, fault: Fault, why: str, *, index: int | None = None, size: int | None = None) -> None:
        super().__init__(why)
        self.broken = Broken(fault, why, index, size)


class _Verification:
    """One walk along the log, tile by tile."""

    def __init__(self, source: LogSource, key: VerifierKey, whole: Checkpoint, heads: Sequence[Checkpoint]) -> None:
        self._source = source
        self._key = key
        self._whole = whole
        self._heads = list(heads)
        self._notes = source.checkpoints()
        self._next: Checkpoint | None = None
        self._peaks = Peaks()
        self._done = 0
        self._edge = b""
        self._levels: dict[int, bytearray] = {}
        self.entries = 0
        self.checkpoints = 0

    def run(self, told: Callable[[int], None] | None) -> None:
        """Walk to the end. Raises _FoundError at the first thing that does not fit."""
        self._next = self._read_next(0)
        self._compare_roots(0, b"")
        for number in range(self._source.begins // TILE_WIDTH):
            self._take(self._source.tile(0, number))
        for run in self._source.runs():
            self._read(run)
            if told is not None:
                told(self._at)
        if self._at < self._whole.size:
            raise _FoundError("missing", f"the entry {self._at} is missing", index=self._at)
        self._finish()

    @property
    def _at(self) -> int:
        """The index of the entry that comes next."""
        return self._done + len(self._edge) // HASH_SIZE

    def _read(self, run: Run) -> None:
        at = self._at
        if run.first > at:
            raise _FoundError("missing", f"the entry {at} is missing", index=at)
        if run.first < at:
            raise _FoundError("order", f"the entry {run.first} comes twice", index=run.first)
        bad = min(run.faults, default=None)
        hashes = b"".join([sha256(b"\0" + body).digest() for body in run.bodies])
        self._take(hashes, bad)
        if bad is not None:
            raise _FoundError("entry", f"the entry {bad} was changed: {run.faults[bad]}", index=bad)
        self.entries += len(run.bodies)

    def _take(self, hashes: bytes, before: int | None = None) -> None:
        """Take the hashes of entries that follow, compare them with the tiles, and go on."""
        room = (self._whole.size - self._at) * HASH_SIZE
        at = 0
        while at < min(len(hashes), room):
            part = hashes[at : min(at + _WHOLE - len(self._edge), room)]
            at += len(part)
            self._compare_leaves(part, before)
            self._edge += part
            if len(self._edge) == _WHOLE:
                self._close_tile()
        if len(hashes) > room and (before is None or before >= self._whole.size):
            index = self._whole.size
            raise _FoundError("order", f"the entry {index} stands behind the end that was sealed", index=index)

    def _compare_leaves(self, part: bytes, before: int | None) -> None:
        begin = len(self._edge)
        stored = self._source.tile(0, self._done // TILE_WIDTH)[begin : begin + len(part)]
        if stored == part:
            return
        index = self._at + _first_difference(stored, part)
        if before is None or index < before:
            raise _FoundError("entry", f"the entry {index} is not the one that was sealed", index=index)

    def _close_tile(self) -> None:
        self._compare_roots(self._done, self._edge)
        subtree = self._peaks.push_tile(self._edge)
        self._done += TILE_WIDTH
        self._edge = b""
        self._raise_level(1, subtree)

    def _raise_level(self, level: int, hashed: bytes) -> None:
        """Put a hash on its level; each tile of it that is full is compared, and gives one to the level above."""
        edge = self._levels.setdefault(level, bytearray())
        edge += hashed
        if len(edge) == _WHOLE:
            number = (self._done >> 8 * level) // TILE_WIDTH - 1
            self._compare_tile(level, number, bytes(edge))
            above = subtree_hash(bytes(edge))
            edge.clear()
            self._raise_level(level + 1, above)

    def _compare_tile(self, level: int, number: int, hashes: bytes) -> None:
        stored = self._source.tile(level, number)
        if stored != hashes:
            index = number * TILE_WIDTH + _first_difference(stored, hashes) << 8 * level
            why = f"the hashes in {tile_path(level, number)} are not those of the entries from {index} on"
            raise _FoundError("tile", why, index=index)

    def _finish(self) -> None:
        self._compare_roots(self._done, self._edge, last=True)
        if self._edge:
            self._compare_tile(0, self._done // TILE_WIDTH, self._edge)
        for level, edge in self._levels.items():
            if edge:
                self._compare_tile(level, (self._done >> 8 * level) // TILE_WIDTH, bytes(edge))

    def _compare_roots(self, begin: int, edge: bytes, *, last: bool = False) -> None:
        """Compare the checkpoints and heads whose last entry is one of these."""
        end = begin + len(edge) // HASH_SIZE
        while self._next is not None and self._next.size <= end:
            self._compare_root("checkpoint", self._next, begin, edge)
            self.checkpoints += 1
            self._next = self._read_next(self._next.size)
        while self._heads and self._heads[0].size <= end:
            self._compare_root("head", self._heads.pop(0), begin, edge)
        if last and self._next is not None:
            size = self._next.size
            raise _FoundError("checkpoint", f"a checkpoint says {size} entries, and there are {end}", size=size)
        if last:
            self._compare_root("checkpoint", self._whole, begin, edge)

    def _compare_root(self, what: Literal["checkpoint", "head"], said: Checkpoint, begin: int, edge: bytes) -> None:
        if self._peaks.root(edge[: (said.size - begin) * HASH_SIZE]) != said.root:
            kept = "that was kept elsewhere " if what == "head" else ""
            why = (
                f"the {what} {kept}of {said.size} entries has another root than the entries here: "
                "entries below that size were changed, and their hashes with them"
            )
            raise _FoundError(what, why, size=said.size)

    def _read_next(self, after: int) -> Checkpoint | None:
        note = next(self._notes, None)
        if note is None:
            return None
        try:
            found = read_checkpoint(note, self._key)
        except CheckpointError as error:
            why = f"the checkpoint after that of {after} entries is none of this log: {error}"
            raise _FoundError("checkpoint", why, size=after) from None
        if found.size < after:
            raise _FoundError(
                "checkpoint", f"a checkpoint of {found.size} entries stands after one of {after}", size=after
            )
        return found


def _first_difference(stored: bytes, hashes: bytes) -> int:
    """The place of the first hash that is not the stored one; after the last where there are only more of them."""
    places = range(0, len(hashes), HASH_SIZE)
    differing = (at for at in places if stored[at : at + HASH_SIZE] != hashes[at : at + HASH_SIZE])
    return next(differing, len(hashes)) // HASH_SIZE
