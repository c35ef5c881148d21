"""Where a log is read from, to be verified: a store, a folder, a server, anything that answers these five questions."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

NO_FAULTS: Mapping[int, str] = MappingProxyType({})


class Run(NamedTuple):
    """Entries one after another: the index of the first, and the bytes of each.

    Runs of 256 that begin at a multiple of 256 are verified quickest; any others will do. `faults`
    are what the source itself found wrong: index to a sentence, as of a row that says other things
    beside an entry than the entry itself.
    """

    first: int
    bodies: Sequence[bytes]
    faults: Mapping[int, str] = NO_FAULTS


class LogSource(Protocol):
    """A log as it is stored. Nothing that it says is believed.

    `checkpoint` is asked first. What the log has grown by since then is not told: no entry and no
    checkpoint beyond that size. Whatever of it is there although it has not grown, is told.
    """

    def checkpoint(self) -> str:
        """The newest signed checkpoint, and "" where there is none. What is verified is a log of its size."""
        ...

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """All stored checkpoints, each after the size it is stored under, from the smallest; maybe only the newest."""
        ...

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile as stored, which may be more than the size needs; b"" where there is none."""
        ...

    def begins(self) -> int:
        """The index of the first entry that is kept anywhere; 0 where none was let go."""
        ...

    def bundles(self, size: int) -> Iterator[Run]:
        """The entries from `begins` on, in the order of their indexes as stored: with every gap and repetition."""
        ...
