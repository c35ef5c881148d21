"""Follow a store that other machines change too: the replica here is brought level, and said to be.

One process of a home folder follows; the others stand by, and one of them takes over where it ends.
Whatever breaks, the replica stays as it was and grows older: freshness is what judges it, not this.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from scopekey.authority.apply_changes import BATCH, Committed, catch_up, moment
from scopekey.core.change import Change
from scopekey.replica.clock import milliseconds
from scopekey.replica.index import Index, Place
from scopekey.replica.leader import Leadership
from scopekey.store.engine import Store
from scopekey.store.errors import AnotherHistoryError
from scopekey.store.waiting import Waiting

_log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at the store where nothing is heard, and between two tries to lead."""

_TRIES = 3
_HEAD_START = 0.005


class FollowedIndex(Index, Protocol):
    """An index of files, which may be replaced or damaged while it is followed."""

    def sound(self) -> bool:
        """Tell whether everything is there, and nobody found it damaged."""


def look(store: Store, index: Index, *, clock: Callable[[], int] = milliseconds) -> Place:
    """Bring a replica level that a writer found good, with no lock and no write where there is nothing new.

    What is new is read before the write lock is taken: a slow store keeps nobody of this machine waiting.
    """
    for _ in range(_TRIES):
        level, place = moment(clock), index.place()
        changes = None if place is None else _after(store, place)
        if place is None or changes is None or len(changes) == BATCH:
            break
        if not changes:
            index.leveled(level)
            return place
        # Otherwise somebody of this machine was faster, and there may be nothing left to do.
        if index.place() == place:
            return catch_up(store, index, own=Committed(place, changes, level), clock=clock)
    return catch_up(store, index, clock=clock)


def _after(store: Store, place: Place) -> list[Change] | None:
    """What was changed after a place, None where the store's history is another one."""
    try:
        with store.reading() as tx:
            return tx.changes.after(place, BATCH)
    except AnotherHistoryError:
        return None


class StoreFollower:
    """Keeps one replica level in a thread of its own, from `start` to `stop`."""

    def __init__(
        self, store: Store, index: FollowedIndex, leadership: Leadership, *, clock: Callable[[], int] = milliseconds
    ) -> None:
        self._store = store
        self._index = index
        self._leadership = leadership
        self._clock = clock
        self._wanted = False
        self._failing = False
        self._running: _Running | None = None
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._starting = threading.Lock()

    @property
    def leads(self) -> bool:
        """Whether it is this one that follows."""
        return self._leadership.held

    def start(self) -> None:
        """Follow until `stop`, as soon as no other process of this machine does."""
        self._wanted = True
        self.renew()

    def renew(self) -> None:
        """Start again what was started and runs no more: no thread comes along through a fork."""
        if self._pid != os.getpid():
            self._begin()
        if self._lacking():
            with self._starting:
                self._start()

    def _start(self) -> None:
        # Asked again under the lock: another thread may have come first, to start or to stop.
        if self._lacking():
            self._running = _Running(self._store.waiting(), self._run)
            self._running.thread.start()

    def stop(self) -> None:
        """End, and let another process lead."""
        self._wanted = False
        with self._starting:
            running, self._running = self._running, None
        if running is not None:
            running.stop()

    def _lacking(self) -> bool:
        return self._wanted and not (self._running is not None and self._running.alive())

    def _run(self, running: "_Running") -> None:
        self._failing = False
        while not running.stopped.is_set():
            try:
                self._lead(running)
            except Exception as error:  # noqa: BLE001 - a follower never gives up: the next look may find it mended
                self._complain(error)
            running.stopped.wait(EVERY)
        self._leadership.release()
        running.waiting.close()

    def _lead(self, running: "_Running") -> None:
        """Follow for as long as this process leads and nothing fails."""
        good = False
        while not running.stopped.is_set() and self._leadership.try_take():
            due = time.monotonic() + EVERY
            if not (good and self._index.sound()):
                self._repair()
                good = True
            look(self._store, self._index, clock=self._clock)
            self._succeeded()
            self._wait(running, due)

    def _repair(self) -> None:
        """Bring the replica level as its writer: what another boot or process left behind only a writer can judge."""
        # Asked first: where the store does not answer, nobody is to wait for the write lock that long.
        with self._store.reading() as tx:
            tx.changes.place()
        catch_up(self._store, self._index, clock=self._clock)

    def _wait(self, running: "_Running", due: float) -> None:
        """Wait until there may be something new, at the longest until a look is due."""
        while (left := due - time.monotonic()) > 0 and not running.stopped.is_set():
            heard = running.waiting.wait(left)
            if heard is not None and heard > self._index.now().position and self._index.pending_since() is not None:
                # Most likely it is a commit of this machine, whose process applies it at this very moment.
                running.stopped.wait(_HEAD_START)
            # What is heard of a commit that was made here, and has been applied, is nothing new.
            if heard is None or heard > self._index.now().position:
                return

    def _succeeded(self) -> None:
        if self._failing:
            self._failing = False
            _log.warning("the store is followed again")

    def _complain(self, error: Exception) -> None:
        # Once for each outage, and without the words of other libraries: they may hold anything.
        if not self._failing:
            self._failing = True
            said = "the store cannot be followed (%s): until it can, decisions here go by what is known already"
            _log.warning(said, type(error).__name__)


class _Running:
    """One thread, and what ends it."""

    def __init__(self, waiting: Waiting, run: "Callable[[_Running], None]") -> None:
        self.waiting = waiting
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=run, args=(self,), name="scopekey-follower", daemon=True)
        self._pid = os.getpid()

    def alive(self) -> bool:
        """Whether it runs, in this very process."""
        return self._pid == os.getpid() and self.thread.is_alive()

    def stop(self) -> None:
        """End it, and wait until it has."""
        if self._pid != os.getpid():
            self.waiting.close()
            return
        self.stopped.set()
        self.waiting.wake()
        # LMDB must not be closed under a thread that writes.
        self.thread.join()
