"""What a journal hands over at once, and what a sink may say to it.

A batch numbers its records: decisions first, then counts. `file` names one journal of one process, from
0 on; a record keeps its number, so that whoever takes it can tell what it has already.
"""

from collections.abc import Callable, Collection

import msgspec

from scopekey.replica.event import Event
from scopekey.replica.refusals import Cell

FILE_SIZE = 8
"""Random bytes that name a file; written as 16 hexadecimal digits."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Records of one file. `offset` is the number of the first; `lost` were dropped just before it."""

    file: str
    offset: int
    lost: int
    events: tuple[Event, ...]
    counts: tuple[tuple[Cell, int], ...] = ()

    def __len__(self) -> int:
        return len(self.events) + len(self.counts)

    @property
    def next(self) -> int:
        """The number after that of the last record."""
        return self.offset + len(self)

    def first(self, number: int) -> "Batch":
        """The first records alone."""
        counts = self.counts[: max(0, number - len(self.events))]
        return msgspec.structs.replace(self, events=self.events[:number], counts=counts)

    def after(self, number: int) -> "Batch":
        """What is left when the first records are taken."""
        if not number:
            return self
        counts = self.counts[max(0, number - len(self.events)) :]
        return Batch(self.file, self.offset + number, 0, self.events[number:], counts)

    def without(self, places: Collection[int]) -> "Batch":
        """The batch without some of its events, which count as lost before it. Only while nobody has any of it."""
        kept = tuple(event for at, event in enumerate(self.events) if at not in places)
        gone = len(self.events) - len(kept)
        return Batch(self.file, self.offset + gone, self.lost + gone, kept, self.counts)

    def anew(self, file: str) -> "Batch":
        """The same records as the first of another file."""
        return msgspec.structs.replace(self, file=file, offset=self.lost)


Sink = Callable[[Batch], int]
"""Records a batch, or the first records of it; gives how many. Raises what is below, or anything to be asked again."""


class NotTakenError(Exception):
    """The batch was not recorded, or nobody knows; ask again with the same one. Who raises it has told why.

    `wait` is in seconds.
    """

    def __init__(self, wait: float) -> None:
        super().__init__("the decisions were not taken")
        self.wait = wait


class NeverError(Exception):
    """Nothing of the batch was recorded, and the events at these places never can be."""

    def __init__(self, places: Collection[int]) -> None:
        super().__init__(f"{len(places)} decisions cannot be recorded")
        self.places = places


class ForgottenError(Exception):
    """Whoever takes decisions does not know what came before: the batch has to begin a new file."""
