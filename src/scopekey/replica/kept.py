"""The keys that a process has read of an index, until anything changes there."""

from scopekey.core.ids import KeyId
from scopekey.core.key import Key
from scopekey.replica.index import Now

MOST_KEPT = 32_768
"""How many keys are kept at most, about 20 MB; then all of them are dropped."""


class Kept:
    """The keys that were read of one file while its three numbers stood still.

    A change is committed before its numbers are written, and they are before its call returns: while they
    are the same, nothing that a caller was told of is missing here. One object, replaced whole: a thread
    that is late puts what it read beside what it began with.
    """

    __slots__ = ("keys", "now", "numbers", "opened")

    def __init__(self, numbers: bytes | None, now: Now, opened: int) -> None:
        self.numbers: bytes | None = numbers
        self.now: Now = now
        self.opened: int = opened
        self.keys: dict[KeyId, Key] = {}

    def keep(self, key: Key) -> Key:
        """Keep a key that was read after the numbers."""
        if len(self.keys) >= MOST_KEPT:
            self.keys.clear()
        self.keys[key.id] = key
        return key


NOTHING_KEPT = Kept(None, Now(0, 0, 0), 0)
"""Stands for an index that is not there: it fits no numbers, so that the next look is a new one."""
