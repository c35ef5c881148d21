"""The only door up: where a verifier records its decisions before they leave for the control plane.

``append`` gives a ticket; who must not answer before the record is safe waits for it or awaits it.
The two journals here promise no durability: one hands batches to a sink, one forgets.
"""

from collections.abc import Generator
from typing import Any, Protocol

from scopekey.replica.event import Event


class JournalUnavailableError(Exception):
    """The decision could not be recorded; where it had to be, the answer is a 503."""


class Ticket(Protocol):
    """The promise that one event is recorded."""

    def wait(self) -> None:
        """Block until it is. Raises JournalUnavailableError."""

    def __await__(self) -> Generator[Any, None, None]:
        """Wait on an event loop. Raises JournalUnavailableError."""


class _Done:
    """A ticket for an event that nobody has to wait for."""

    def wait(self) -> None:
        return

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


DONE: Ticket = _Done()


class Journal(Protocol):
    """Takes one event for each decision; never blocks the caller."""

    def append(self, event: Event) -> Ticket:
        """Take an event. Raises JournalUnavailableError where it can take no more and must not lose it."""

    def close(self) -> None:
        """Hand over what is still here, and stop."""
