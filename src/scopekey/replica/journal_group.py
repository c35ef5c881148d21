"""What is written and synced together, and those who wait for it: one ticket for all of them."""

import asyncio
import threading
from collections.abc import Callable, Generator
from typing import Any

from scopekey.replica.journal import JournalUnavailableError

PATIENCE = 0.25
"""The longest that anybody waits for a record, in seconds; then the answer is that there is none."""
_LATE = "the disk has not taken the record in time"
_OPEN = ""
_KEPT = "kept"


class Group:
    """The ticket of every event that one sync releases.

    `late` is told, once or more often, that somebody gave up on it. `needed` says that somebody will wait.
    """

    __slots__ = ("_ended", "_late", "_lock", "_outcome", "_waiting", "needed")

    def __init__(self, lock: threading.Lock, late: Callable[["Group"], None]) -> None:
        self.needed: bool = False
        self._lock = lock
        self._late = late
        self._outcome = _OPEN
        self._ended: threading.Event | None = None
        self._waiting: dict[asyncio.AbstractEventLoop, _Waiting] | None = None

    @property
    def settled(self) -> bool:
        """Whether it is known how it ended."""
        return self._outcome is not _OPEN

    def settle(self, why_not: str = _KEPT) -> None:
        """Release everybody: the records are kept, or say why not. Called once, by the thread that writes."""
        with self._lock:
            self._outcome = why_not
            ended, waiting = self._ended, self._waiting
        if ended is not None:
            ended.set()
        for loop, here in (waiting or {}).items():
            try:
                loop.call_soon_threadsafe(here.release)
            except RuntimeError:  # the loop was closed, with all who waited on it
                continue

    def wait(self) -> None:
        """Block until the records are kept. Raises JournalUnavailableError, also after `PATIENCE`."""
        if not self.settled:
            with self._lock:
                ended = self._ended = self._ended or threading.Event()
                if self._outcome is not _OPEN:
                    ended.set()
            if not ended.wait(PATIENCE):
                self.gave_up()
        self._raise()

    def __await__(self) -> Generator[Any, None, None]:
        """Wait on an event loop. Raises JournalUnavailableError, also after `PATIENCE`."""
        if not self.settled:
            here = self._here(asyncio.get_running_loop())
            if here is not None:
                # One for each who waits: where one task is cancelled, the others go on waiting.
                future = here.loop.create_future()
                here.futures.append(future)
                yield from future
        self._raise()

    def _here(self, loop: asyncio.AbstractEventLoop) -> "_Waiting | None":
        """Those who wait on this loop, None where there is nothing to wait for any more."""
        found = self._waiting.get(loop) if self._waiting else None
        if found is None:
            with self._lock:
                if self.settled:
                    return None
                self._waiting = self._waiting or {}
                found = self._waiting[loop] = _Waiting(self, loop)
        return found

    def gave_up(self) -> None:
        """Somebody waited for as long as anybody may."""
        if not self.settled:
            self._late(self)

    def _raise(self) -> None:
        if self._outcome is not _KEPT:
            raise JournalUnavailableError(self._outcome or _LATE)


class _Waiting:
    """Those who wait on one loop: released by one call, and given up on by one timer."""

    __slots__ = ("futures", "group", "loop", "timer")

    def __init__(self, group: Group, loop: asyncio.AbstractEventLoop) -> None:
        self.group = group
        self.loop = loop
        self.futures: list[asyncio.Future[None]] = []
        self.timer = loop.call_later(PATIENCE, self._time_is_over)

    def release(self) -> None:
        self.timer.cancel()
        futures, self.futures = self.futures, []
        for future in futures:
            if not future.done():
                future.set_result(None)

    def _time_is_over(self) -> None:
        self.group.gave_up()
        self.release()
        # Who comes later waits for as long again.
        self.timer = self.loop.call_later(PATIENCE, self._time_is_over)
