"""What the verification of a log found: a value, which is true where the log is intact."""

from typing import Literal

import msgspec

Kind = Literal["entry", "missing", "extra", "order", "row", "tile", "checkpoint", "head"]
"""What is wrong: an entry that is not what was sealed, one that is gone, one that was put in, one that was
moved, a row that says other things than its entry, stored hashes, a checkpoint, a head kept elsewhere."""


class Intact(msgspec.Struct, frozen=True):
    """Nothing is wrong. `checkpoints` and `heads` are how many were checked.

    Entries were read from the index `read_from` on; for those before, which are not kept, their hashes stood in.
    """

    origin: str
    size: int
    root: bytes
    read_from: int
    checkpoints: int
    heads: int

    def __bool__(self) -> Literal[True]:
        return True


class Broken(msgspec.Struct, frozen=True):
    """The first thing that is wrong: at the `index` of an entry, or with what was signed for `size` entries.

    `why` is one sentence, which holds nothing of an entry.
    """

    kind: Kind
    why: str
    index: int | None = None
    size: int | None = None

    # A plain object is true: without this, `if verify_log(...)` would let every broken log through.
    def __bool__(self) -> Literal[False]:
        return False


LogReport = Intact | Broken


class Found(Exception):
    """Carries what is wrong out of a verification; it never leaves `verify_log`."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(broken.why)
        self.broken = broken
