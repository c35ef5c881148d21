"""Waiting for changes of others: woken by the database where it can, by the clock where it cannot."""

import contextlib
import logging
import os
import selectors
import socket
import time
from collections.abc import Callable
from typing import Protocol

_log = logging.getLogger(__name__)

CONNECT_EVERY = 1.0
"""Seconds between two tries to connect, so that one which is cut at once costs little."""

# Of a parent process: kept and never used, for to close them, even by forgetting them, would reach into the parent's.
_inherited: list[object] = []


class Ear(Protocol):
    """A connection that hears of announcements. Whatever goes wrong with it raises."""

    def fileno(self) -> int:
        """What can be read from as soon as there is something to hear."""

    def heard(self) -> int:
        """The newest position that was announced since it was last asked, 0 where none was. Does not wait."""

    def close(self) -> None:
        """Hang up."""


class Waiting:
    """Waits for announcements in one thread, over a connection of its own; connects again by itself.

    `listen` makes the connection, None where there is nothing to hear.
    """

    def __init__(self, listen: Callable[[], Ear] | None) -> None:
        self._listen = listen
        self._ear: Ear | None = None
        self._pid = os.getpid()
        self._complained = False
        self._next_try = 0.0
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)

    @property
    def hears(self) -> bool:
        """Whether there is a connection to hear by at the moment."""
        return self._ear is not None

    def wait(self, seconds: float) -> int | None:
        """Wait for an announcement, a `wake` or the time to be over. Never raises.

        Gives the newest position that was heard of, or None where there is nothing to go by: the time
        is over, or a connection was made or lost, and what was announced meanwhile was not heard.
        """
        if self._ear is None and self._connect():
            return None
        try:
            if self._ear is None and self._listen is not None:
                # Not beyond the next try, which the next wait makes.
                seconds = min(seconds, self._next_try - time.monotonic())
            ready = self._ready(max(seconds, 0.0))
            if self._woken in ready:
                self._woken.recv(4096)
            if self._ear is not None and self._ear in ready:
                return self._ear.heard() or None
        except Exception:  # noqa: BLE001 - whatever broke, a later wait connects again
            self._hang_up()
        return None

    def wake(self) -> None:
        """End a `wait`, the present or else the next one; from any thread."""
        # Full means that it is woken already, closed that nobody waits any more.
        with contextlib.suppress(OSError):
            self._waker.send(b".")

    def close(self) -> None:
        """Hang up. In a child after a fork it only lets go."""
        self._hang_up()
        self._woken.close()
        self._waker.close()

    def _ready(self, seconds: float) -> list[object]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            if self._ear is not None:
                selector.register(self._ear, selectors.EVENT_READ)
            return [key.fileobj for key, _ in selector.select(seconds)]

    def _connect(self) -> bool:
        if self._listen is None or time.monotonic() < self._next_try:
            return False
        self._next_try = time.monotonic() + CONNECT_EVERY
        try:
            self._ear = self._listen()
        except Exception:  # noqa: BLE001 - a database that is away is the normal case here
            if not self._complained:
                self._complained = True
                _log.warning("changes of other nodes cannot be listened for now; they are looked for each second")
            return False
        self._complained = False
        return True

    def _hang_up(self) -> None:
        ear, self._ear = self._ear, None
        if ear is None:
            return
        if self._pid != os.getpid():
            _inherited.append(ear)
            return
        with contextlib.suppress(Exception):
            ear.close()
