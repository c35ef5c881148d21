"""The journal of this release: it hands batches to a sink, and keeps what is not taken in a bounded memory.

It promises no durability: a ticket is done at once, and what waits here is lost with the process.
"""

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection
from itertools import islice

from scopekey.replica.batch import FILE_SIZE, Batch, ForgottenError, NeverError, NotTakenError, Sink
from scopekey.replica.clock import milliseconds
from scopekey.replica.event import Event
from scopekey.replica.journal import DONE, Ticket
from scopekey.replica.refusals import MINUTE, Cell, RefusalCounts

_log = logging.getLogger(__name__)

_RETRY_AFTER = 5.0
_REFUSALS_IN_FULL = 1_000


class BatchJournal:
    """Hands batches to `sink`, of at most `batch` records, about `linger_ms` after the first event.

    One thread for each process, started at the first event. While the sink raises, events are kept;
    beyond `capacity` the oldest are dropped, and the log says how many. Allowed calls of public
    operations are not recorded, refusals without a genuine key are counted.

    `close` waits at most `close_within` seconds for the sink, None for as long as it takes; `hurry` is
    told how many of them are left before each last hand-over.
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
        close_within: float | None = None,
        hurry: Callable[[float], None] | None = None,
    ) -> None:
        self._sink = sink
        self._random = random
        self._clock = clock
        self._capacity = capacity
        self._batch = batch
        self._linger = linger_ms / 1_000
        self._close_within = close_within
        self._hurry = hurry
        self._lost = 0
        self._ends: float | None = None
        self._start_over()
        _journals.add(self)

    def _start_over(self) -> None:
        """Begin a new file, with nothing in it."""
        self._file = self._random(FILE_SIZE).hex()
        self._next = 0
        self._events: deque[Event] = deque()
        self._refused: deque[Event] = deque(maxlen=_REFUSALS_IN_FULL)
        self._counts = RefusalCounts()
        self._counting = threading.Lock()
        self._handing = threading.Lock()
        self._pending: Batch | None = None
        self._dropped = 0
        self._untold = 0
        self._retry_after: float | None = None
        self._woken = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def _begin_in_child(self) -> None:
        self._lost = 0
        self._start_over()

    @property
    def waiting(self) -> int:
        """How many events are here that nobody has acknowledged."""
        pending = self._pending
        return len(self._events) + len(self._refused) + (len(pending.events) if pending else 0)

    @property
    def lost(self) -> int:
        """How many decisions this process has lost for want of room, or because they cannot be recorded."""
        return self._lost

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
        self._ends = None if self._close_within is None else time.monotonic() + self._close_within
        thread, self._thread = self._thread, None
        self._stop.set()
        self._wake.set()
        if thread is None:
            self._hand_over(None)
        else:
            # The last hand-over is the thread's, so that a sink which never returns does not keep this one.
            thread.join(self._close_within)
        left = self._untold + self.waiting
        if left:
            self._lost += left - self._untold
            _log.error("%d decisions could not be handed over and are lost", left)
        self._start_over()

    def _refuse(self, event: Event) -> None:
        with self._counting:
            if self._counts.count(event):
                self._refused.append(event)

    def _drop(self) -> None:
        with self._counting:
            try:
                self._events.popleft()
            except IndexError:  # the writer was faster
                return
            self._count_lost(1)

    def _count_lost(self, number: int) -> None:
        self._lost += number
        self._untold += number
        self._dropped += number

    def _rouse(self) -> None:
        self._woken = True
        self._wake.set()
        with self._counting:
            if self._thread is None and not self._stop.is_set():
                # Where there is no room for a thread, the next event tries again.
                self._woken = False
                thread = threading.Thread(target=self._run, name="scopekey-journal", daemon=True)
                thread.start()
                self._thread, self._woken = thread, True

    def _run(self) -> None:
        stop, wake = self._stop, self._wake
        while not stop.is_set():
            wake.wait(MINUTE / 1_000 if self._counts else None)
            wake.clear()
            stop.wait(self._linger if self._retry_after is None else self._retry_after)
            if stop.is_set():
                break
            # Cleared before the events are taken: one that comes now wakes again.
            self._woken = False
            self._hand_over(self._clock())
            if self._retry_after is not None and not stop.is_set():
                self._woken = True
                wake.set()
        if self._stop is stop:
            self._hand_over(None)

    def _hand_over(self, now: int | None) -> None:
        """Hand over everything that is here; with None also the counts of the present minute."""
        stop = self._stop
        with self._handing:
            while (batch := self._pending or self._gather(now)) is not None:
                # What the sink did not take comes first again, under the very same numbers.
                self._pending = batch
                if stop.is_set() and not self._in_time():
                    return
                outcome = self._ask(batch)
                if self._stop is not stop:
                    # Closed meanwhile, and given up on: what is here now is another file's.
                    return
                left, self._retry_after = self._settle(batch, outcome)
                self._pending = left or None
                if self._retry_after is not None:
                    return

    def _in_time(self) -> bool:
        if self._ends is None:
            return True
        seconds = self._ends - time.monotonic()
        if seconds > 0 and self._hurry is not None:
            self._hurry(seconds)
        return seconds > 0

    def _ask(self, batch: Batch) -> int | Exception:
        try:
            return self._sink(batch)
        except Exception as error:  # noqa: BLE001 - whatever keeps a sink from taking them, they are kept
            return error

    def _settle(self, batch: Batch, outcome: int | Exception) -> tuple[Batch, float | None]:
        """Do what the sink said; gives what it is to be asked next, and after how many seconds: None for now."""
        match outcome:
            case int():
                self._tell_lost()
                return batch.after(outcome), None
            case NeverError(places=places) if places:
                return self._without(batch, places), None
            case ForgottenError():
                self._file = self._random(FILE_SIZE).hex()
                renewed = batch.anew(self._file)
                self._next = renewed.next
                return renewed, None
            case NotTakenError(wait=wait):
                return batch, wait
            case _:
                if self._retry_after is None:
                    said = "decisions cannot be handed over; up to %d are kept in memory"
                    _log.error(said, self._capacity, exc_info=outcome)
                return batch, _RETRY_AFTER

    def _without(self, batch: Batch, places: Collection[int]) -> Batch:
        left = batch.without(places)
        gone = len(batch) - len(left)
        _log.error("%d decisions have a form that cannot be recorded, and are lost", gone)
        with self._counting:
            self._lost += gone
            if not left:
                # Their numbers are the next batch's to account for.
                self._dropped += left.lost
                self._next = batch.offset - batch.lost
        return left

    def _tell_lost(self) -> None:
        with self._counting:
            untold, self._untold = self._untold, 0
        if untold:
            _log.error("%d decisions were lost: there were more than %d to keep", untold, self._capacity)

    def _gather(self, now: int | None) -> Batch | None:
        """Make a batch of what is here and number it. None where there is nothing."""
        events: list[Event] = []
        for source in (self._events, self._refused):
            while source and len(events) < self._batch:
                try:
                    events.append(source.popleft())
                except IndexError:  # another thread dropped it
                    break
        with self._counting:
            counts = self._ended(now, self._batch - len(events))
            if not events and not counts:
                return None
            lost, self._dropped = self._dropped, 0
        batch = Batch(self._file, self._next + lost, lost, tuple(events), counts)
        self._next = batch.next
        return batch

    def _ended(self, now: int | None, most: int) -> tuple[tuple[Cell, int], ...]:
        # What finds no room in this batch stays counted.
        return tuple(islice(self._counts.ended(now), most))


_journals: "weakref.WeakSet[BatchJournal]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for journal in _journals:
        # The parent hands over what it holds; the thread did not come along.
        journal._begin_in_child()  # noqa: SLF001 - the journal's own module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
