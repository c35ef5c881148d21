"""The journal of a process that has nobody to hand its decisions to: a bounded memory, and nothing else."""

import logging
from collections import deque

from scopekey.replica.event import Event
from scopekey.replica.journal import DONE, Ticket

_log = logging.getLogger(__name__)


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
