"""What a journal writes at once: records of one file, numbered from 0 on. A record keeps its number."""

from collections.abc import Callable

import msgspec

from scopekey.replica.event import Event
from scopekey.replica.refusals import Cell

FILE_SIZE = 8
"""Random bytes that name a file; written as 16 hexadecimal digits."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Records of one file: decisions first, then counts.

    `offset` is the number of the first; `lost` were dropped just before it. `durable`: whoever was answered was
    answered after they were on disk.
    """

    file: str
    offset: int
    lost: int
    events: tuple[Event, ...]
    counts: tuple[tuple[Cell, int], ...] = ()
    durable: bool = False

    def __len__(self) -> int:
        return len(self.events) + len(self.counts)

    @property
    def next(self) -> int:
        """The number after that of the last record."""
        return self.offset + len(self)


Take = Callable[[bytes], int]
"""Takes a batch over, as its bytes; gives the number that its file goes on with. Raises what is below, or anything."""


class NotTakenError(Exception):
    """The batch was not recorded, or nobody knows; ask again with the same records. Who raises it has told why.

    `wait` is in seconds.
    """

    def __init__(self, wait: float) -> None:
        super().__init__("the decisions were not taken")
        self.wait = wait


class RefusedBatchError(NotTakenError):
    """Nothing of the batch was recorded: there is something in it that cannot be."""


class MissingRecordsError(Exception):
    """Records before the batch are missing where it was to be recorded; `expected` is the number that comes next."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"the record {expected} comes next")
        self.expected = expected
