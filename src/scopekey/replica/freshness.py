"""How far behind a replica may be: its decisions are marked stale first, and refused later.

Two rules, one question (`age`). On a home folder whose store is a file, the replica is level however
old it is, unless a commit was announced and never applied, or the machine was booted since. Over a
feed, it is as old as the last time it was known to be level.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from scopekey.audit.entry import MAX_NUMBER

LOOK_EVERY = 1_000
"""Milliseconds between two looks at the pending marks; far below any useful `stale_after`."""

NEVER = MAX_NUMBER
"""The age of a replica that was never level, or of which nobody can tell when: older than every limit, and a number
that the log holds."""


class Freshness(Protocol):
    """Judges the age of a replica. All times in milliseconds."""

    stale_after: int
    refuse_after: int

    def age(self, now: int) -> int:
        """How far the replica is behind what it copies, at most; 0 where it is level."""


class Level(NamedTuple):
    """When a replica was last known to be level: by the wall clock, and since the boot of the machine. 0 is never."""

    wall: int
    boot: int


class HomeFreshness:
    """Of a replica on the home folder of a store that only processes of this machine change.

    `behind_since` tells since when the replica is known to be behind, None where it is level.
    """

    def __init__(self, behind_since: Callable[[], int | None], *, stale_after: int, refuse_after: int) -> None:
        self.stale_after = stale_after
        self.refuse_after = refuse_after
        self._behind_since = behind_since
        self._next_look = 0
        self._looked_at = 0
        self._since: int | None = None

    def age(self, now: int) -> int:
        """How long the replica is known to be behind."""
        # A clock that went backwards must not postpone the next look.
        if not self._looked_at <= now < self._next_look:
            self._since = self._behind_since()
            self._looked_at = now
            self._next_look = now + LOOK_EVERY
        return 0 if self._since is None else max(0, now - self._since)


class FeedFreshness:
    """Of a replica that follows something on another machine: a feed, or a database.

    `level` gives the moment at which it was last level. Two clocks watch it, and the older answer
    counts: the wall clock may be set, and the clock of the boot does not know what came before it.
    A wall clock that went backwards is believed in nothing: the replica counts as stale. `look` is
    called about once a second, to notice that the files were replaced under this process.
    """

    def __init__(
        self,
        level: Callable[[], Level],
        *,
        stale_after: int,
        refuse_after: int,
        look: Callable[[], None] = lambda: None,
        since_boot: Callable[[], int] | None = None,
    ) -> None:
        self.stale_after = stale_after
        self.refuse_after = refuse_after
        self._level = level
        self._look = look
        self._next_look = 0
        self._since_boot = since_boot or milliseconds_since_boot

    def age(self, now: int) -> int:
        """The time since the replica was last level; `NEVER` where nobody can tell."""
        since_boot = self._since_boot()
        if since_boot >= self._next_look:
            self._next_look = since_boot + LOOK_EVERY
            self._look()
        wall, boot = self._level()
        if not wall:
            return NEVER
        by_wall, by_boot = now - wall, since_boot - boot
        if by_boot < 0:
            # It was level before this boot: the wall clock alone knows since when.
            return by_wall if by_wall >= 0 else NEVER
        if by_wall < 0:
            return max(by_boot, self.stale_after + 1)
        return max(by_boot, by_wall)


# Of the clocks that cannot be set, the one that also counts while the machine sleeps.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def milliseconds_since_boot() -> int:
    """Milliseconds since some moment before the machine's boot ended; never goes backwards within one boot."""
    return (time.monotonic_ns() if _CLOCK is None else time.clock_gettime_ns(_CLOCK)) // 1_000_000
