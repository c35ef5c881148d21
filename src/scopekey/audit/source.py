"""What a log is verified from, wherever it is kept: a database, a folder of tiles, a server."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol


class Run(NamedTuple):
    """Entries one after the other, the first of them at an index.

    `faults` is what the source itself found wrong, by index: columns that do not say what the entry says.
    """

    first: int
    bodies: Sequence[bytes]
    faults: Mapping[int, str] = {}


class LogSource(Protocol):
    """A log as it is now: all of it is of one moment."""

    @property
    def begins(self) -> int:
        """Entries below this index, a multiple of 256, cannot be read from here: only their hashes are kept."""

    def checkpoint(self) -> str | None:
        """The newest checkpoint; None where nothing was sealed yet."""

    def checkpoints(self) -> Iterator[str]:
        """All checkpoints that are kept, the smallest first."""

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, as many as there are; empty where there is none."""

    def runs(self) -> Iterator[Run]:
        """All entries from `begins` on, in their order; best in runs of many."""
