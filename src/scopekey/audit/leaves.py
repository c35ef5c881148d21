"""Reads the entries of a log, and compares each with the hash that was sealed for it."""

from collections.abc import Iterator
from hashlib import sha256

from scopekey.audit.merkle import HASH_SIZE
from scopekey.audit.report import Broken, Found, Kind
from scopekey.audit.source import LogSource, Run
from scopekey.audit.tiles import TILE_WIDTH, tile_path


class Leaves:
    """The leaf hashes of the first `size` entries, computed from the entries themselves where these are kept.

    They come a bundle at a time. Raises Found at the first entry that is not what was sealed.
    """

    def __init__(self, source: LogSource, size: int) -> None:
        self._source = source
        self._size = size
        self.begins: int = min(source.begins(), size)
        # Of the bundle that is being read: its hashes so far, and what the source itself found wrong in it.
        self._number = self.begins // TILE_WIDTH
        self._bundle: list[bytes] = []
        self._faults: dict[int, str] = {}

    def __iter__(self) -> Iterator[list[bytes]]:
        for number in range(self._number):
            yield self._sealed(number, TILE_WIDTH)
        self._bundle = self._sealed(self._number, self.begins % TILE_WIDTH)
        for run in self._source.bundles(self._size):
            yield from self._read(run)
        yield from self._compared()
        if self._next < self._size:
            raise self._gap(self._size)

    @property
    def _next(self) -> int:
        return self._number * TILE_WIDTH + len(self._bundle)

    def _read(self, run: Run) -> Iterator[list[bytes]]:
        self._faults.update(run.faults)
        if run.first != self._next:
            yield from self._compared()
            raise self._gap(run.first) if run.first > self._next else self._repeated(run.first)
        place, count = 0, min(len(run.bodies), self._size - run.first)
        while place < count:
            end = min(count, place + TILE_WIDTH - len(self._bundle))
            self._bundle += [sha256(b"\0" + body).digest() for body in run.bodies[place:end]]
            place = end
            if len(self._bundle) == TILE_WIDTH:
                yield from self._compared()
                self._number, self._bundle = self._number + 1, []
        if count < len(run.bodies):
            yield from self._compared()
            why = f"there is an entry {self._size}, and only {self._size} entries were sealed"
            raise _found("extra", self._size, why)

    def _compared(self) -> Iterator[list[bytes]]:
        """Give what was read of the bundle, as far as it is what its tile says; then raise where it is not."""
        found = None
        good = len(self._bundle)
        sealed = self._source.tile(0, self._number) if good else b""
        if not sealed.startswith(b"".join(self._bundle)):
            good = next(at for at, leaf in enumerate(self._bundle) if leaf != hash_at(sealed, at))
            found = self._misfit(sealed, good)
        first = self._number * TILE_WIDTH
        wrong = min((index for index in self._faults if index < first + good), default=None)
        if wrong is not None:
            good = max(0, wrong - first)
            why = f"the row of entry {wrong} says other things than the entry: {self._faults[wrong]}"
            found = _found("row", wrong, why)
        if good:
            yield self._bundle[:good]
        if found is not None:
            raise found

    def _misfit(self, sealed: bytes, at: int) -> Found:
        """Say what became of the first entry that does not fit the hash sealed for it."""
        index = self._number * TILE_WIDTH + at
        here, wanted = self._bundle[at], hash_at(sealed, at)
        if not wanted:
            path, count = tile_path(0, self._number), len(sealed) // HASH_SIZE
            return _found("tile", index, f"tile {path} has {count} hashes: that of entry {index} is gone")
        sealed_next = here == hash_at(sealed, at + 1)
        stands_next = self._bundle[at + 1 : at + 2] == [wanted]
        if sealed_next and not stands_next:
            why = f"entry {index} is gone: what stands in its place was sealed as entry {index + 1}"
            return _found("missing", index, why)
        if stands_next and not sealed_next:
            why = f"entry {index} was put in: what was sealed as entry {index} stands after it"
            return _found("extra", index, why)
        for place in range(len(sealed) // HASH_SIZE):
            if here == hash_at(sealed, place):
                place += self._number * TILE_WIDTH  # noqa: PLW2901  from within the tile to within the log
                return _found("order", index, f"entry {index} was moved: it was sealed as entry {place}")
        return _found("entry", index, f"entry {index} does not fit the hash that was sealed for it: it was changed")

    def _sealed(self, number: int, width: int) -> list[bytes]:
        """The hashes that stand in for entries that are not kept."""
        sealed = self._source.tile(0, number) if width else b""
        count = len(sealed) // HASH_SIZE
        if count < width:
            index = number * TILE_WIDTH + count
            raise _found(
                "tile", index, f"neither entry {index} nor its hash is there: {tile_path(0, number)} is too short"
            )
        return [hash_at(sealed, at) for at in range(width)]

    def _gap(self, until: int) -> Found:
        first, last = self._next, min(until, self._size) - 1
        if first in self._faults:
            return _found("missing", first, f"entry {first} is not to be had: {self._faults[first]}")
        gone = f"entry {first} is" if first == last else f"the entries from {first} to {last} are"
        return _found("missing", first, f"{gone} gone, of {self._size} that were sealed")

    def _repeated(self, index: int) -> Found:
        return _found("extra", index, f"entry {index} is there more than once, or out of its place")


def hash_at(hashes: bytes, at: int) -> bytes:
    """One hash of a tile; b"" where the tile is too short."""
    found = hashes[at * HASH_SIZE : (at + 1) * HASH_SIZE]
    return found if len(found) == HASH_SIZE else b""


def _found(kind: Kind, index: int, why: str) -> Found:
    return Found(Broken(kind, why, index=index))
