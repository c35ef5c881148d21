"""Verifies a whole log: all is computed anew from the entries, and compared with what was stored and signed."""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from operator import itemgetter
from typing import Literal

from scopekey.audit.checkpoint import Checkpoint, CheckpointError, read_checkpoint
from scopekey.audit.leaves import Leaves, hash_at
from scopekey.audit.merkle import HASH_SIZE
from scopekey.audit.note import VerifierKey
from scopekey.audit.report import Broken, Found, Intact, LogReport
from scopekey.audit.source import LogSource
from scopekey.audit.tiles import TILE_HEIGHT, TILE_WIDTH, Growth, tile_path

Signed = tuple[int, Literal["checkpoint", "head"], str | Checkpoint]
"""Something that was signed: the size that it is known by, what it is, and its note, read already or not."""

_EVERY = 64 * TILE_WIDTH
"""How many entries lie between two words to whoever waits."""


def verify_log(
    source: LogSource,
    key: VerifierKey,
    *,
    heads: Sequence[str] = (),
    told: Callable[[int], None] | None = None,
) -> LogReport:
    """Verify a log up to its newest checkpoint, and against heads: checkpoints of it that were kept elsewhere.

    The report is true where all is well, and says otherwise what is wrong first. `told` hears now
    and then how many entries have been verified.
    """
    try:
        return _Verification(source, key, heads, told).run()
    except Found as found:
        return found.broken


class _Verification:
    """One walk along the log, from the first entry to the last."""

    def __init__(
        self,
        source: LogSource,
        key: VerifierKey,
        heads: Sequence[str],
        told: Callable[[int], None] | None,
    ) -> None:
        self._source = source
        self._key = key
        self._told = told
        self._newest = self._read_newest()
        elsewhere = sorted(self._read_heads(heads), key=itemgetter(0))
        self._heads = len(elsewhere)
        stored: Iterator[Signed] = ((size, "checkpoint", note) for size, note in source.checkpoints())
        # What was signed, in the order in which the walk comes past it, and the next of it.
        self._signed: Iterator[Signed] = merge(stored, elsewhere, key=itemgetter(0))
        self._coming = next(self._signed, None)
        self._checkpoints = 0
        self._growth = Growth(0, source.tile)
        # The size of the last of each kind that did fit: everything before it is as it was signed.
        self._fits = {"checkpoint": 0, "head": 0}

    def run(self) -> Intact:
        size = self._newest.size
        leaves = Leaves(self._source, size)
        self._append(())
        for bundle in leaves:
            self._append(bundle)
            if self._growth.size % TILE_WIDTH**2 == 0:
                self._compare_tiles()
                self._growth.settle()
            if self._told is not None and self._growth.size % _EVERY == 0:
                self._told(self._growth.size)
        self._expect("checkpoint", self._newest)
        self._compare_tiles()
        if self._coming is not None:
            raise self._beyond(self._coming)
        if self._told is not None:
            self._told(size)
        return Intact(self._newest.origin, size, self._newest.root, leaves.begins, self._checkpoints, self._heads)

    def _append(self, bundle: Sequence[bytes]) -> None:
        """Append leaf hashes, and on the way check what was signed within them."""
        growth = self._growth
        place, end = 0, growth.size + len(bundle)
        while self._coming is not None and self._coming[0] <= end:
            size, kind, note = self._coming
            if size < growth.size:
                raise Found(Broken(kind, f"the checkpoint of {size} entries is stored out of its order", size=size))
            middle = place + size - growth.size
            growth.extend(bundle[place:middle])
            place = middle
            self._expect(kind, self._read_stored(size, note) if isinstance(note, str) else note)
            self._checkpoints += kind == "checkpoint"
            self._coming = next(self._signed, None)
        growth.extend(bundle[place:])

    def _expect(self, kind: Literal["checkpoint", "head"], signed: Checkpoint) -> None:
        """Compare what was signed with the root of what was appended so far, which is as many entries."""
        if signed.root == self._growth.root():
            self._fits[kind] = signed.size
            return
        # Where stored hashes do not say the same as the entries below them, they say more exactly where.
        self._compare_tiles()
        # Whoever holds the signing key can write checkpoints anew as well: beside a head only heads count.
        fits = self._fits["head"] if kind == "head" else max(self._fits.values())
        among = f"an entry from {fits} on" if fits else "one of them"
        what = "the checkpoint" if kind == "checkpoint" else "a head kept elsewhere"
        raise Found(
            Broken(
                kind,
                f"{what} of {signed.size} entries has another root than these entries:"
                f" {among} is not what was signed, and the hashes were written anew",
                size=signed.size,
            )
        )

    def _compare_tiles(self) -> None:
        """Compare the stored tiles above the lowest with what was computed; the lowest were, with the entries."""
        for (level, number), hashes in sorted(self._growth.changed().items()):
            stored = self._source.tile(level, number) if level else hashes
            if not stored.startswith(hashes):
                at = next(at for at in range(len(hashes) // HASH_SIZE) if hash_at(stored, at) != hash_at(hashes, at))
                width = 1 << TILE_HEIGHT * level
                first = (number * TILE_WIDTH + at) * width
                why = (
                    f"tile {tile_path(level, number)} has another hash for the entries from {first} to"
                    f" {first + width - 1}: one of them was changed together with its own hash, or the tile was"
                )
                raise Found(Broken("tile", why, index=first))

    def _beyond(self, signed: Signed) -> Found:
        signed_size, kind, _ = signed
        what = "a stored checkpoint" if kind == "checkpoint" else "a head kept elsewhere"
        why = f"{what} is of {signed_size} entries, and the log has {self._newest.size}: it was cut off, or put back"
        return Found(Broken(kind, why, size=signed_size))

    def _read_newest(self) -> Checkpoint:
        note = self._source.checkpoint()
        try:
            return read_checkpoint(note, self._key)
        except CheckpointError as error:
            why = f"the newest checkpoint cannot be believed: {error}" if note else "the log has no checkpoint"
            raise Found(Broken("checkpoint", why)) from None

    def _read_stored(self, size: int, note: str) -> Checkpoint:
        try:
            checkpoint = read_checkpoint(note, self._key)
        except CheckpointError as error:
            why = f"the checkpoint of {size} entries cannot be believed: {error}"
            raise Found(Broken("checkpoint", why, size=size)) from None
        if checkpoint.size != size:
            why = f"the checkpoint stored for {size} entries is of {checkpoint.size}"
            raise Found(Broken("checkpoint", why, size=size))
        return checkpoint

    def _read_heads(self, heads: Sequence[str]) -> Iterator[Signed]:
        for number, head in enumerate(heads, 1):
            try:
                checkpoint = read_checkpoint(head, self._key)
            except CheckpointError as error:
                why = f"head {number} of {len(heads)} that were kept elsewhere cannot be believed: {error}"
                raise Found(Broken("head", why)) from None
            yield checkpoint.size, "head", checkpoint
