"""One journal file while it is written, and the three things it asks of a disk.

A file is held with a lock while its process lives: where the lock is free, nobody will write there any more.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from scopekey.replica.leader import try_lock

SUFFIX = ".journal"
UNBORN = ".new"
"""The ending of a file that is not locked yet."""


class JournalFullError(OSError):
    """The journal has as many bytes as it may have."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "the journal has reached its limit")


class Disk(Protocol):
    """What a file is asked of. Each raises OSError."""

    def write(self, file: int, data: bytes) -> None:
        """Write all of it at the end."""

    def sync(self, file: int) -> None:
        """Give back when all that was written is on the disk."""

    def cut(self, file: int, size: int) -> None:
        """Make the file this short."""


class RealDisk:
    """The disk there is."""

    def write(self, file: int, data: bytes) -> None:
        """Write all of it at the end."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]

    def sync(self, file: int) -> None:
        """Give back when all that was written is on the disk."""
        # There is no fdatasync on macOS.
        getattr(os, "fdatasync", os.fsync)(file)

    def cut(self, file: int, size: int) -> None:
        """Make the file this short."""
        os.ftruncate(file, size)


class JournalFile:
    """A new file of a folder, under a name that nobody has. Raises OSError where it cannot be made.

    It is `broken` once nobody knows what is on the disk: nothing may be written there any more.
    """

    def __init__(self, folder: Path, name: str, disk: Disk) -> None:
        self.path: Path = folder / f"{name}{SUFFIX}"
        self.size: int = 0
        self.broken: bool = False
        self._disk = disk
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unborn = self.path.with_suffix(UNBORN)
        self._file: int | None = os.open(
            unborn, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600
        )
        try:
            # Locked before anybody looks at it: a file without a lock is taken for that of a dead process.
            try_lock(self._file)
            unborn.rename(self.path)
            _sync_folder(folder)
        except BaseException:
            for path in (unborn, self.path):
                path.unlink(missing_ok=True)
            self.close()
            raise

    def write(self, data: bytes) -> None:
        """Write at the end, or not at all. Raises OSError."""
        file = self._opened()
        try:
            self._disk.write(file, data)
        except OSError:
            self._cut_back(file)
            raise
        self.size += len(data)

    def sync(self) -> None:
        """See that all of it is on the disk. Raises OSError, and then the file is broken.

        A kernel may forget what it could not write, and say at the next try that all is well.
        """
        file = self._opened()
        try:
            self._disk.sync(file)
        except OSError:
            self.broken = True
            raise

    def close(self) -> None:
        """Let go of the file and of its lock. In a child after a fork this leaves the parent's lock as it is."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                os.close(file)

    def _opened(self) -> int:
        if self._file is None or self.broken:
            raise OSError(errno.EBADF, "the journal file is closed")
        return self._file

    def _cut_back(self, file: int) -> None:
        try:
            self._disk.cut(file, self.size)
        except OSError:
            self.broken = True


def bytes_in(folder: Path) -> int:
    """How many bytes all journal files of a folder have. Raises OSError."""
    total = 0
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.endswith(SUFFIX):
                # A file may be taken over and removed meanwhile.
                with suppress(FileNotFoundError):
                    total += entry.stat().st_size
    return total


def _sync_folder(folder: Path) -> None:
    """A file whose name is not on the disk is lost with its machine."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
