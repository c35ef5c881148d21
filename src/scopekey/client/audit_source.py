"""A log as a verification reads it, from files in the layout of C2SP tlog-tiles: of a folder, or of a server."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Protocol

from scopekey.audit.checkpoint import unverified_checkpoint
from scopekey.audit.merkle import HASH_SIZE
from scopekey.audit.source import Run
from scopekey.audit.tiles import TILE_WIDTH, bundle_path, decode_bundle, tile_path, width_at


class LogFiles(Protocol):
    """Where the files of a log are. What is no file of a log raises ValueError."""

    def hashes(self, level: int, number: int, width: int) -> bytes:
        """The hashes of a tile, so many or more; fewer where they are not there."""

    def entries(self, number: int, width: int) -> list[bytes] | None:
        """The entries of a bundle, so many; None where they are not there."""


class TiledLog:
    """A `LogSource` as of one checkpoint: nothing behind it is read."""

    def __init__(self, note: str, files: LogFiles) -> None:
        """`note` is the checkpoint. Raises CheckpointError where it is none."""
        self.size: int = size_of(note)
        self._note = note
        self._files = files
        # A verification asks for the tile at the edge more than once.
        self.tile: Callable[[int, int], bytes] = lru_cache(16)(self._tile)

    def checkpoint(self) -> str:
        """The newest checkpoint."""
        return self._note

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """All checkpoints: the newest is the one that is kept."""
        return iter(((self.size, self._note),))

    def begins(self) -> int:
        """None was let go."""
        return 0

    def bundles(self, size: int) -> Iterator[Run]:
        """All entries, bundle by bundle, up to the first that is not there."""
        for first in range(0, size, TILE_WIDTH):
            number = first // TILE_WIDTH
            try:
                bodies = self._files.entries(number, width_at(0, number, self.size))
            except ValueError as error:
                yield Run(first, (), {first: f"its bundle cannot be read: {error}"})
                return
            if bodies is None:
                return
            yield Run(first, bodies)

    def _tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, as many as belong to the checkpoint."""
        width = width_at(level, number, self.size)
        return self._files.hashes(level, number, width)[: width * HASH_SIZE] if width else b""


class FetchedFiles:
    """The files of a server; `fetch` gives one by its path."""

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch

    def hashes(self, level: int, number: int, width: int) -> bytes:
        """The hashes of a tile."""
        return self._fetch(tile_path(level, number, width))

    def entries(self, number: int, width: int) -> list[bytes]:
        """The entries of a bundle. Raises ValueError."""
        found = decode_bundle(self._fetch(bundle_path(number, width)))
        if len(found) != width:
            raise ValueError(f"it holds {len(found)} entries and not {width}")
        return found


def size_of(note: str) -> int:
    """How many entries a checkpoint speaks of, whoever signed it. Raises CheckpointError."""
    return unverified_checkpoint(note).size
