"""Seals the log of a store while a process lives, and moves old entries to the archive where that is set.

Of the processes of one home folder the one that carries seals; of several nodes whichever is first.
"""

import logging
import threading
import time
from collections.abc import Callable

from scopekey.authority.archive_log import archive_log
from scopekey.authority.heads import HeadFile
from scopekey.authority.seal_log import LogSealer
from scopekey.replica.fault import log_fault
from scopekey.settings import Settings
from scopekey.store.engine import Store

_log = logging.getLogger(__name__)

EVERY = 0.3
"""Seconds between two looks for entries that have arrived: they are sealed within one."""
_ARCHIVE_EVERY = 3600.0


def log_sealer(settings: Settings, store: Store, clock: Callable[[], int]) -> LogSealer:
    """What seals the log of a store as it is set. Raises MissingSecretError."""
    heads = [HeadFile(target) for target in settings.log_heads]
    return LogSealer(store, seed=settings.signing_seed(), origin=settings.log_origin, heads=heads, clock=clock)


class Sealing:
    """A thread that seals. `leads` tells whether it is for this process to do it."""

    def __init__(
        self,
        settings: Settings,
        seal: Callable[[], int],
        store: Store,
        *,
        leads: Callable[[], bool],
        clock: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._store = store
        self._leads = leads
        self._clock = clock
        self._seal = seal
        self._stop = threading.Event()
        self._archived = time.monotonic()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="scopekey-sealing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what arrived last is sealed by `seal`, or by whoever comes next."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            if not self._leads():
                continue
            try:
                self._seal()
                self._archive()
            except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
                if not self._failed:
                    log_fault(_log, error, "the log cannot be sealed now, and it is tried again")
                self._failed = True
            else:
                self._failed = False

    def _archive(self) -> None:
        """Move what is older than entries are kept, now and then."""
        keep, folder = self._settings.audit_keep, self._settings.audit_archive
        if keep is None or folder is None or time.monotonic() - self._archived < _ARCHIVE_EVERY:
            return
        self._archived = time.monotonic()
        begun, end = archive_log(self._store, folder, before=self._clock() - keep)
        if end > begun:
            _log.warning("the entries %d to %d of the log were moved to %s", begun, end - 1, folder)
