"""How far a replica on a home folder may be behind: stale first, refusing later.

Such a replica is fresh however old, unless a commit was announced and never applied, or the machine
was booted since it was last written.
"""

from collections.abc import Callable

LOOK_EVERY = 1_000
"""Milliseconds between two looks at the pending marks; far below any useful `stale_after`."""


class Freshness:
    """Judges the age of a replica. All times in milliseconds.

    `behind_since` tells since when the replica is known to be behind, None where it is level.
    """

    def __init__(self, behind_since: Callable[[], int | None], *, stale_after: int, refuse_after: int) -> None:
        self._behind_since = behind_since
        self._stale_after = stale_after
        self._refuse_after = refuse_after
        self._next_look = 0
        self._looked_at = 0
        self._since: int | None = None

    def refuses(self, now: int) -> bool:
        """Tell whether no answer may be given any more."""
        # Level at the last look and no other due: nearly always.
        if self._since is None and self._looked_at <= now < self._next_look:
            return False
        return self._behind(now) > self._refuse_after

    def stale(self, now: int) -> bool:
        """Tell whether decisions are to be marked stale."""
        if self._since is None and self._looked_at <= now < self._next_look:
            return False
        return self._behind(now) > self._stale_after

    def _behind(self, now: int) -> int:
        # A clock that went backwards must not postpone the next look.
        if now >= self._next_look or now < self._looked_at:
            self._since = self._behind_since()
            self._looked_at = now
            self._next_look = now + LOOK_EVERY
        return 0 if self._since is None else max(0, now - self._since)
