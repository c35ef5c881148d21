"""The journal of a process: every decision goes into a file of its home folder, before or soon after its answer.

One thread writes. All that arrived while it wrote and synced is its next group (group commit).
"""

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from scopekey.core.decision import DenialReason, Denied
from scopekey.replica.clock import milliseconds
from scopekey.replica.decided import Decided, code_of
from scopekey.replica.event import Event
from scopekey.replica.journal import DONE, JournalUnavailableError, Ticket
from scopekey.replica.journal_file import Disk, JournalFullError
from scopekey.replica.journal_group import PATIENCE, Group
from scopekey.replica.journal_writer import JournalWriter
from scopekey.replica.refusals import MINUTE, RefusalCounts

_log = logging.getLogger(__name__)

Mode = Literal["strict", "writes", "relaxed"]
LIMIT = 1 << 30
_LINGER = 0.02
"""How long a record that nobody waits for may lie in memory while others come, in seconds."""
_SYNC_EVERY = 1.0
_SYNC_BYTES = 4 << 20
_RETRY_AFTER = 0.25
_CLOSE_WITHIN = 5.0
_REFUSALS_IN_FULL = 1_000
_UNAVAILABLE = "the journal cannot be written at the moment"


class FileJournal:
    """Writes decisions into files in `folder`, and nothing else: a carrier hands them over.

    `node` gives the id of this machine. `mode` says what is on disk before its answer: `strict` everything about
    a genuine key; `writes` what may change something, and denials; `relaxed` nothing. While the disk fails, who
    must wait is refused, and of what nobody waits for `capacity` events are kept; what comes beyond is lost, and
    counted. `limit` is in bytes, for all files of the folder. `begun` is called when a process begins to write.

    Allowed calls of public operations are not recorded, refusals without a genuine key are counted.
    """

    def __init__(
        self,
        folder: Path,
        node: Callable[[], str],
        *,
        mode: Mode = "writes",
        limit: int = LIMIT,
        capacity: int = 100_000,
        random: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], int] = milliseconds,
        disk: Disk | None = None,
        begun: Callable[[], None] | None = None,
    ) -> None:
        self._strict = mode == "strict"
        self._writes = mode == "writes"
        self._capacity = capacity
        self._clock = clock
        self._begun = begun
        self._writer_of: Callable[[], JournalWriter] = partial(
            JournalWriter, folder, node, limit=limit, random=random, disk=disk
        )
        self.decided: Decided = Decided()
        """What this process decided, recorded or not; what is recorded counts when it is written."""
        self._start_over()
        _journals.add(self)

    def _start_over(self) -> None:
        """With nothing in it, and nothing begun: at first, and in a child after a fork."""
        self._writer = self._writer_of()
        self._taking = threading.Lock()
        self._counting = threading.Lock()
        self._events: deque[Event] = deque()
        self._refused: deque[Event] = deque(maxlen=_REFUSALS_IN_FULL)
        self._counts = RefusalCounts()
        self._group = self._new_group()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._idle = self._calm = True
        self._failing = self._stuck = False
        self._failed: BaseException | None = None
        self._synced = 0.0
        self._writing = 0
        self._lost = self._dropped = self._untold = 0
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.used: bool = False
        """Whether this process has recorded anything here since it was last closed."""

    def _begin_in_child(self) -> None:
        # The parent writes what it holds; the thread did not come along, and the lock on the file is not ours.
        self._writer.let_go()
        self.decided = Decided()
        self._start_over()

    def _new_group(self) -> Group:
        return Group(self._taking, self._note_late)

    @property
    def waiting(self) -> int:
        """How many events are in memory alone."""
        return len(self._events) + len(self._refused) + self._writing

    @property
    def lost(self) -> int:
        """How many decisions this process has lost, for want of room or because they cannot be recorded."""
        return self._lost + self._writer.lost

    def append(self, event: Event) -> Ticket:
        """Take an event. Raises JournalUnavailableError where it must not be lost and cannot be written."""
        decision = event.decision
        if decision.key is None:
            if decision:
                self.decided.public += 1
            else:
                self._refuse(event)
            return DONE
        if self._strict or (self._writes and waits(event)):
            return self._append_needed(event)
        if len(self._events) >= self._capacity:
            self._drop(event)
            return DONE
        self._events.append(event)
        if self._idle:
            self._rouse()
        return DONE

    def _append_needed(self, event: Event) -> Ticket:
        with self._taking:
            if self._failing or self._stuck or len(self._events) >= self._capacity:
                self.decided.add(DenialReason.JOURNAL_UNAVAILABLE)
                raise JournalUnavailableError(_UNAVAILABLE)
            group = self._group
            group.needed = True
            self._events.append(event)
            calm = self._calm
        if calm:
            self._rouse()
        return group

    def close(self) -> None:
        """Write what is still here, counts of the present minute included, and end the file.

        What is recorded afterwards begins another one.
        """
        thread, self.used = self._thread, False
        self._stopping = True
        self._wake.put(None)
        if thread is not None:
            thread.join(_CLOSE_WITHIN)
        elif self.waiting or self._counts:
            self._round(last=True)
        left = self.waiting
        if left or self._untold:
            _log.error("%d decisions could not be written and are lost", left + self._untold)
        if thread is not None and thread.is_alive():
            # The disk holds it; what it still does there is another journal's.
            self._start_over()
        else:
            self._writer.close()
            self._events.clear()
            self._thread, self._stopping = None, False
            self._idle = self._calm = True
            self._failing = self._stuck = False

    def _refuse(self, event: Event) -> None:
        with self._counting:
            self.decided.add(code_of(event))
            in_full = self._counts.count(event)
        if in_full:
            self._refused.append(event)
            if self._idle:
                self._rouse()

    def _drop(self, event: Event) -> None:
        with self._counting:
            self.decided.add(code_of(event))
            self._lost += 1
            self._dropped += 1
            self._untold += 1

    def _rouse(self) -> None:
        self._idle = self._calm = False
        self._wake.put(None)
        if self._thread is None:
            with self._counting:
                if self._thread is None:
                    self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name="scopekey-journal", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # Where there is no room for a thread, the next event tries again.
            self._idle = self._calm = True
            raise
        self._thread, self.used = thread, True
        if self._begun is not None:
            self._begun()

    def _run(self) -> None:
        wake = self._wake
        while not self._stopping:
            self._rest()
            if self._wake is not wake:
                return
            if not self._stopping:
                self._round()
        if self._wake is wake:
            self._round(last=True)

    def _rest(self) -> None:
        """Wait until there is something to do: not at all for what somebody waits for."""
        if self._failing:
            self._pause(_RETRY_AFTER)
            return
        self._idle = self._calm = True
        # Looked at after the flags are up: whoever comes later wakes.
        if not self._events and not self._refused and not self._group.needed:
            self._pause(self._next_due())
        self._idle = False
        # Up again: whoever woke took it down, and those who must wait are not to wait for others to come.
        self._calm = True
        if not self._group.needed:
            self._pause(_LINGER)
        self._calm = False

    def _pause(self, seconds: float | None) -> None:
        wake = self._wake
        try:
            wake.get(timeout=seconds)
            while not wake.empty():
                wake.get_nowait()
        except Empty:
            return

    def _next_due(self) -> float | None:
        """Seconds until there is something to do though nobody comes, None for never."""
        if self._writer.owes:
            return max(0.0, self._synced + _SYNC_EVERY - time.monotonic())
        return MINUTE / 1_000 if self._counts else None

    def _round(self, *, last: bool = False) -> None:
        """Write one group, and release those who wait for it."""
        with self._taking:
            group, self._group = self._group, self._new_group()
        try:
            self._keep(group, last=last)
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being written, nobody is told that it was
            self._fail(group, error)
        else:
            self._writing = 0
            group.settle()
            if self._failing or self._stuck:
                self._recover()
            if self._untold:
                self._tell_lost()

    def _keep(self, group: Group, *, last: bool) -> None:
        writer = self._writer
        # Before anything is taken: what an earlier failure left comes first.
        writer.prepare()
        events, refused = _taken(self._events), _taken(self._refused)
        self._writing = len(events) + len(refused)
        self.decided.add_all(events)
        with self._counting:
            lost, self._dropped = self._dropped, 0
            counts = tuple(self._counts.ended(None if last else self._clock()))
        durable = not refused and (self._strict or (self._writes and all(map(waits, events))))
        writer.add(events + refused, counts, lost, durable=durable)
        now = time.monotonic()
        sync = group.needed or last or writer.unsynced_bytes > _SYNC_BYTES or now - self._synced > _SYNC_EVERY
        writer.flush(sync=sync)
        if sync:
            self._synced = now

    def _fail(self, group: Group, error: Exception) -> None:
        """Refuse all who wait, and keep what nobody waits for."""
        if not self._failing:
            _log.error("decisions cannot be written: %s. %s", _words(error), _to_do(error))
        with self._taking:
            self._failing = True
            later, self._group = self._group, self._new_group()
            # Their answer is a refusal: they are no longer to be recorded.
            taken = _taken(self._events)
            kept = [event for event in taken if not self._must_wait(event)]
            self._events.extendleft(reversed(kept))
            self.decided.add(DenialReason.JOURNAL_UNAVAILABLE, len(taken) - len(kept))
        for refused in (group, later):
            refused.settle(_UNAVAILABLE)

    def _must_wait(self, event: Event) -> bool:
        return self._strict or (self._writes and waits(event))

    def _recover(self) -> None:
        with self._taking:
            self._failing = self._stuck = False
        _log.warning("decisions are written again")

    def _note_late(self, group: Group) -> None:
        with self._taking:
            if group.settled or self._stuck:
                return
            self._stuck = True
        _log.error("the disk takes longer than %.0f ms to keep a decision: who must wait is refused", PATIENCE * 1_000)

    def _tell_lost(self) -> None:
        with self._counting:
            untold, self._untold = self._untold, 0
        _log.error("%d decisions were lost: there were more than %d to keep in memory", untold, self._capacity)


def waits(event: Event) -> bool:
    """Whether a decision about a genuine key is on disk before its answer in the mode `writes`.

    A denial is, and what may change something: an operation that is no read, or permissions that do not only look.
    """
    decision, match = event.decision, event.match
    if isinstance(decision, Denied):
        return True
    if match is not None:
        return match.writes
    return decision.need is None or not decision.need.observes


def _taken(events: deque[Event]) -> list[Event]:
    """What is there now; more may come meanwhile."""
    return [events.popleft() for _ in range(len(events))]


def _words(error: Exception) -> str:
    # No traceback and no values: a decision may stand in them.
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _to_do(error: Exception) -> str:
    if isinstance(error, JournalFullError):
        return "See why nobody takes them over, or raise SCOPEKEY_JOURNAL_LIMIT; it goes on by itself"
    return "See to the disk and the permissions of the home folder; it goes on by itself"


_journals: "weakref.WeakSet[FileJournal]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for journal in list(_journals):
        journal._begin_in_child()  # noqa: SLF001 - the journal's own module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
