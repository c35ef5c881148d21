"""The journals of this release: one hands batches to a sink, one keeps a bounded memory.

Neither promises durability: a ticket is done at once, and what waits here is lost with the process.
"""

import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from scopekey.audit.entry import NONCE_SIZE, Entry
from scopekey.replica.clock import milliseconds
from scopekey.replica.event import Event, entry_of
from scopekey.replica.journal import DONE, Ticket
from scopekey.replica.refusals import MINUTE, Cell, RefusalCounts, refusals_entry

_log = logging.getLogger(__name__)

Sink = Callable[[Sequence[Entry]], None]
_RETRY_AFTER = 5.0
_REFUSALS_IN_FULL = 1_000


class BatchJournal:
    """Hands entries to `sink`, at most `batch` at a time, about `linger_ms` after the first event.

    One thread for each process, started at the first event. While the sink raises, events are kept;
    beyond `capacity` the oldest are dropped, and the log says how many. Allowed calls of public
    operations are not recorded, refusals without a genuine key are counted.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        random: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], int] = milliseconds,
        capacity: int = 100_000,
        batch: int = 1_000,
        linger_ms: int = 100,
    ) -> None:
        self._sink = sink
        self._random = random
        self._clock = clock
        self._capacity = capacity
        self._batch = batch
        self._linger = linger_ms / 1_000
        self._start_over()
        _journals.add(self)

    def _start_over(self) -> None:
        self._events: deque[Event] = deque()
        self._refused: deque[Event] = deque(maxlen=_REFUSALS_IN_FULL)
        self._counts = RefusalCounts()
        self._counting = threading.Lock()
        self._handing = threading.Lock()
        self._waiting: list[Entry] = []
        self._lost = 0
        self._failing = False
        self._woken = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def append(self, event: Event) -> Ticket:
        """Take an event. The ticket is done: nothing is promised yet."""
        if event.decision.key is None:
            if event.decision:
                return DONE
            self._refuse(event)
        else:
            self._events.append(event)
            if len(self._events) > self._capacity:
                self._drop()
        if not self._woken:
            self._rouse()
        return DONE

    def close(self) -> None:
        """Hand over what is still here, counts of the present minute included, and stop."""
        thread, self._thread = self._thread, None
        self._stop.set()
        self._wake.set()
        if thread is not None:
            thread.join()
        self._hand_over(None)
        left = self._lost + len(self._waiting) + len(self._events)
        if left:
            _log.error("%d decisions could not be handed over and are lost", left)
        self._start_over()

    def _refuse(self, event: Event) -> None:
        with self._counting:
            if self._counts.count(event):
                self._refused.append(event)

    def _drop(self) -> None:
        try:
            self._events.popleft()
        except IndexError:  # the writer was faster
            return
        self._lost += 1

    def _rouse(self) -> None:
        self._woken = True
        self._wake.set()
        with self._counting:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="scopekey-journal", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        stop, wake = self._stop, self._wake
        while not stop.is_set():
            wake.wait(MINUTE / 1_000 if self._counts else None)
            wake.clear()
            stop.wait(_RETRY_AFTER if self._failing else self._linger)
            # Cleared before the events are taken: one that comes now wakes again.
            self._woken = False
            try:
                self._hand_over(self._clock())
            except Exception:  # noqa: BLE001 - whatever it is, the next event must find this thread alive
                _log.exception("a decision could not be written as an entry and is lost")
            if self._failing:
                self._woken = True
                wake.set()

    def _hand_over(self, now: int | None) -> None:
        """Hand over everything that is here; with None also the counts of the present minute."""
        with self._handing:
            entries = self._entries(now)
            while True:
                # What the sink refused comes first again, with the very same bytes.
                while len(self._waiting) < self._batch and (entry := next(entries, None)) is not None:
                    self._waiting.append(entry)
                if not self._waiting or not self._sink_took(self._waiting):
                    return
                self._waiting = []

    def _sink_took(self, entries: Sequence[Entry]) -> bool:
        try:
            self._sink(entries)
        except Exception:  # noqa: BLE001 - whatever keeps a sink from taking them, they are kept
            if not self._failing:
                _log.exception("decisions cannot be handed over; up to %d are kept in memory", self._capacity)
            self._failing = True
            return False
        self._failing = False
        lost, self._lost = self._lost, 0
        if lost:
            _log.error("%d decisions were lost: there were more than %d to keep", lost, self._capacity)
        return True

    def _entries(self, now: int | None) -> Iterator[Entry]:
        for events in (self._events, self._refused):
            while events:
                try:
                    event = events.popleft()
                except IndexError:  # another thread dropped it
                    break
                yield entry_of(event, self._random(NONCE_SIZE))
        while (counted := self._ended(now)) is not None:
            yield refusals_entry(*counted, self._random(NONCE_SIZE))

    def _ended(self, now: int | None) -> tuple[Cell, int] | None:
        # One at a time: what is not taken, because the sink fails, stays counted.
        with self._counting:
            return next(self._counts.ended(now), None)


class MemoryJournal:
    """Keeps the newest events in memory and nowhere else, which it says once in the log."""

    def __init__(self, capacity: int = 10_000) -> None:
        self.events: deque[Event] = deque(maxlen=capacity)
        self._said = False

    def append(self, event: Event) -> Ticket:
        """Take an event; the oldest is dropped where there is no room."""
        if not self._said:
            self._said = True
            _log.warning(
                "decisions are kept in memory only, the newest %d: install scopekey[server] to record them",
                self.events.maxlen,
            )
        if event.decision.key is not None or not event.decision:
            self.events.append(event)
        return DONE

    def close(self) -> None:
        """Nothing is handed over: there is nobody to take it."""


_journals: "weakref.WeakSet[BatchJournal]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for journal in _journals:
        # The parent hands over what it holds; the thread did not come along.
        journal._start_over()  # noqa: SLF001 - the journal's own module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
