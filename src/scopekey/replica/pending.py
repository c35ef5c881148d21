"""The write lock of an index, and the marks of commits that it has not seen yet.

Both are one small LMDB environment beside the generations, so they outlive every rebuild. Whoever
holds its write transaction is the one writer; LMDB frees the lock of a process that was killed.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import msgspec

from scopekey.replica import lmdb_file
from scopekey.replica.boot import process_start
from scopekey.replica.control import identity

_MAP_SIZE = 16 * 1024 * 1024


class _Mark(msgspec.Struct, frozen=True, array_like=True):
    """When a commit was announced, and by which process of which boot."""

    at: int
    pid: int
    started: int
    boot: str | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Mark).decode


class Pending:
    """The marks and the lock, in a folder of their own. Opened at first use."""

    def __init__(self, folder: Path, boot: str | None) -> None:
        self._folder = folder
        self._boot = boot
        self._environment: lmdb.Environment | None = None
        self._identity: tuple[int, int] | None = None
        self._opening = threading.Lock()

    @contextmanager
    def lock(self) -> Iterator["Ledger"]:
        """Take the write lock. What is done to the marks is committed at the end, or undone by an exception."""
        transaction = self._locked()
        try:
            yield Ledger(transaction, self._boot)
        except BaseException:
            transaction.abort()
            raise
        transaction.commit()

    def since(self) -> int | None:
        """The time of the oldest mark, or None."""
        if not (self._folder / "data.mdb").exists():
            return None
        with self._opened().begin() as transaction:
            return min((_decode(mark).at for _, mark in transaction.cursor()), default=None)

    def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
        with self._opening:
            self._close()

    def _close(self) -> None:
        environment, self._environment = self._environment, None
        if environment is not None:
            environment.close()

    def _locked(self) -> lmdb.Transaction:
        while True:
            environment = self._opened()
            transaction = environment.begin(write=True)
            # The folder was replaced while this process had it open: that lock locks nothing any more.
            if self._current():
                environment.reader_check()
                return transaction
            transaction.abort()

    def _opened(self) -> lmdb.Environment:
        with self._opening:
            if self._environment is not None and self._current():
                return self._environment
            self._close()
            self._environment = self._open()
            self._identity = identity(self._folder / "data.mdb")
            return self._environment

    def _open(self) -> lmdb.Environment:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            if (self._folder / "data.mdb").exists():
                return lmdb_file.open_existing(self._folder, map_size=_MAP_SIZE)
        except lmdb_file.DamagedError:
            # It held times of commits in flight, nothing else; whoever still has it open notices above.
            self._folder.rename(self._folder.with_name(f"{self._folder.name}.damaged-{time.time_ns() // 1_000_000}"))
            self._folder.mkdir()
        return lmdb_file.create(self._folder, map_size=_MAP_SIZE)

    def _current(self) -> bool:
        return self._identity is not None and identity(self._folder / "data.mdb") == self._identity


class Ledger:
    """The marks, while the write lock is held."""

    def __init__(self, transaction: lmdb.Transaction, boot: str | None) -> None:
        self._transaction = transaction
        self._boot = boot
        # Taken before the store is read: what these announced is either in the store by now or will never be.
        self._orphans = [bytes(token) for token, mark in transaction.cursor() if self._orphaned(_decode(mark))]

    def add(self, token: bytes, now: int) -> None:
        """Put a mark of this process."""
        pid = os.getpid()
        self._transaction.put(token, _encode(_Mark(now, pid, process_start(pid) or 0, self._boot)))

    def remove(self, token: bytes) -> None:
        """Take a mark back."""
        self._transaction.delete(token)

    @property
    def orphaned(self) -> bool:
        """Tell whether there was a mark of a process that had ended before the lock was taken."""
        return bool(self._orphans)

    def forgive(self) -> None:
        """Take back the marks of processes that had ended before the lock was taken."""
        for token in self._orphans:
            self.remove(token)

    def _orphaned(self, mark: _Mark) -> bool:
        return mark.boot != self._boot or process_start(mark.pid) != mark.started
