"""One process of a machine at a time: a lock on a file, which the kernel frees when its holder dies."""

import os
import sys
import threading
import weakref
from pathlib import Path

from scopekey.replica.control import identity


class Leadership:
    """The lock on one file. Whoever holds it leads; two objects of one process are two candidates.

    A child after a fork does not hold what its parent holds, and does not keep it from being freed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._identity: tuple[int, int] | None = None
        self._taking = threading.Lock()
        _all.add(self)

    @property
    def held(self) -> bool:
        """Whether it is held here."""
        return self._file is not None

    def try_take(self) -> bool:
        """Take it if nobody holds it, without waiting; tells whether it is held here now.

        It is given up where its file was removed or replaced: others meet at another one then. Raises
        OSError where the file cannot be made.
        """
        with self._taking:
            if self._file is not None and self._identity == identity(self._path):
                return True
            self._let_go()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            status = os.fstat(file)
            self._identity = (status.st_dev, status.st_ino)
            try:
                taken = try_lock(file) and self._identity == identity(self._path)
            except BaseException:
                os.close(file)
                raise
            if not taken:
                os.close(file)
                return False
            self._file = file
            return True

    def release(self) -> None:
        """Let somebody else take it."""
        with self._taking:
            self._let_go()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _after_fork_in_child(self) -> None:
        # The lock belongs to the opened file, which the child has a share of: as long as it is open there, the
        # parent's death frees nothing. To unlock it would unlock the parent's too; to close it does not.
        self._taking = threading.Lock()
        self._let_go()


def try_lock(file: int) -> bool:
    """Lock an opened file if nobody else has. The lock goes with the last descriptor of that opening."""
    if sys.platform == "win32":
        # No such lock there: every process leads, which costs work and harms nothing.
        return True
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_all: "weakref.WeakSet[Leadership]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for leadership in list(_all):
        leadership._after_fork_in_child()  # noqa: SLF001 - the leadership's own module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
