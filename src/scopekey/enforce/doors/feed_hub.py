"""What all streams of one process share: one watch over the replica, and each line encoded once.

The process that commits publishes its position in a page that every process of the machine has mapped,
so to look costs a tenth of a microsecond: that is looked at often, and only while somebody follows.
"""

import asyncio
import contextlib

from scopekey.replica.feed_source import FeedSource
from scopekey.replica.index import Now, Place
from scopekey.wire.changes import encode_change

LOOK_EVERY = 0.005
"""Seconds between two looks: the most that a change waits here before it is sent on."""
_MOST_KNOWN = 1_000


class FeedHub:
    """Tells streams what follows their place, and wakes them when something does."""

    def __init__(self, source: FeedSource) -> None:
        self.source = source
        self._now: Now | None = None
        self._known: dict[Place, tuple[Place, bytes]] = {}
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._streams = 0

    def after(self, place: Place) -> tuple[Place, bytes]:
        """The lines that follow a place, and the place they lead to; no more than a batch.

        Raises NotKeptError, EmptyIndexError. Followers mostly stand at one place: what is said to the
        first is kept for the others until something changes.
        """
        now = self.source.index.now()
        if now is not self._now:
            self._now, self._known = now, {}
            # Whoever comes first after a change, as by a heartbeat that was due, has seen it for the watch too.
            self.wake()
        elif len(self._known) > _MOST_KNOWN:
            self._known = {}
        found = self._known.get(place)
        if found is None:
            changes = self.source.after(place)
            reached = Place(place.feed_id, changes[-1].position, changes[-1].mark) if changes else place
            found = reached, b"".join(encode_change(change) + b"\n" for change in changes)
            self._known[place] = found
        return found

    async def changed(self, seconds: float) -> None:
        """Wait until the replica is somewhere else than `after` last saw it, for so many seconds at most."""
        self._streams += 1
        try:
            if self._watching is None:
                self._watching = asyncio.create_task(self._watch())
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`, which makes a task for each: a fifth of what a change costs with a thousand streams.
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        finally:
            self._streams -= 1

    async def _watch(self) -> None:
        """Look until nobody waits any more."""
        index = self.source.index
        try:
            while self._streams:
                await asyncio.sleep(LOOK_EVERY)
                if index.now() is not self._now:
                    self.wake()
        finally:
            self._watching = None

    def wake(self) -> None:
        """Wake every stream, whatever it waits for."""
        self._changed.set()
        self._changed = asyncio.Event()
