"""The store: opened once, connected when it is first used, and again after a fork."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self

from scopekey.store import migrate
from scopekey.store.dialect import Database, Listener, is_shared, read_url
from scopekey.store.documents import Known
from scopekey.store.faults import translated
from scopekey.store.transaction import Transaction
from scopekey.store.waiting import Waiting

LOCK_TIMEOUT = 5_000
"""How long a transaction waits for a lock of another one before it gives up, in milliseconds."""

# Connections inherited from the parent process are kept and never used: closing them, even by forgetting
# them, would reach into the parent's.
_inherited: list[Database] = []


class Store:
    """Rows, changes and audit entries in one SQL database. Safe for threads."""

    def __init__(self, url: str, *, lock_timeout: int = LOCK_TIMEOUT) -> None:
        self._url = read_url(url)
        self._lock_timeout = lock_timeout
        self._known: Known = {}
        self._connect()

    @classmethod
    def open(cls, url: str, *, lock_timeout: int = LOCK_TIMEOUT) -> Self:
        """Open a database whose tables are there. A SQLite file is made and upgraded where needed.

        Raises SchemaError, StoreUnavailableError, and ValueError for a URL of another kind.
        """
        store = cls(url, lock_timeout=lock_timeout)
        try:
            with translated():
                if store.shared:
                    migrate.require_head(store._database)
                # Looked at first, so that a long write of another process does not keep this one from opening.
                elif not migrate.at_head(store._database):
                    migrate.bring_to_head(store._database)
        finally:
            # Nothing stays connected that a fork would copy.
            store.close()
        return store

    @property
    def shared(self) -> bool:
        """Whether other machines may change the store too: what they commit has to be looked for."""
        return is_shared(self._url)

    def waiting(self) -> Waiting:
        """Make something that waits for announcements of others. Only of a store that is `shared` there are any."""
        return Waiting(partial(Listener, self._url) if self.shared else None)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Make a transaction that is committed at the end, or rolled back by any exception."""
        self._renew()
        with translated(), self._database.writing() as connection:
            yield Transaction(connection, self._known, writes=True)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Look at one consistent state, from the first read to the last."""
        self._renew()
        with translated(), self._database.reading() as connection:
            yield Transaction(connection, self._known, writes=False)

    def close(self) -> None:
        """Close all connections. A store that is used again opens new ones."""
        self._renew()
        self._database.close()

    def _connect(self) -> None:
        self._pid = os.getpid()
        self._database = Database(self._url, self._lock_timeout)

    def _renew(self) -> None:
        if self._pid != os.getpid():
            _inherited.append(self._database)
            self._connect()
