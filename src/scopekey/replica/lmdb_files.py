"""The files of one LMDB index as one process has them open: control page, current generation, lock.

LMDB allows an environment to be open once in a process, and never across a fork: there is one
``Files`` for each path, which opens at first use, and again on both sides of a fork.
"""

import logging
import mmap
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import lmdb

from scopekey.replica import lmdb_file
from scopekey.replica.control import GENERATION, POSITION, ControlPage
from scopekey.replica.generations import Generations
from scopekey.replica.pending import Pending
from scopekey.replica.place_row import position_in, refuse_earlier

_log = logging.getLogger(__name__)

NOT_OPEN = -1
_SAY_AGAIN = 5.0
"""Seconds after which the same damage is told again."""
_CLOSED = (0, 0, 0, 0, 0, 0)
_known: "weakref.WeakValueDictionary[str, Files]" = weakref.WeakValueDictionary()
_knowing = threading.Lock()


class NotOpenError(lmdb.Error):
    """The files were let go of in the middle of a read: ask again."""


def _not_open() -> lmdb.Transaction:
    raise NotOpenError("the index was closed while it was read")


class Files:
    """What is open of one path. `words` are the control page's, `generation` the one that is open.

    `opened` is another number whenever something else is open, or nothing is.
    A reader that finds `words[GENERATION]` to be another number than `generation` calls `renew` first;
    `begin` gives the read view.
    """

    def __init__(self, folder: Path, *, boot: str | None, map_size: int = lmdb_file.RESERVED) -> None:
        self.folder = folder
        self.boot = boot
        self.generations: Generations = Generations(folder)
        self.pending: Pending = Pending(folder / "lock", boot)
        self.map_size = map_size
        self.on_damage: Callable[[str], None] = _log.error
        self._complained: tuple[str, float] = ("", 0.0)
        self._reached = (NOT_OPEN, 0)
        self.writing: threading.RLock = threading.RLock()
        self._opening = threading.RLock()
        self.opened: int = 0
        self._forget()

    def _forget(self) -> None:
        self.opened += 1
        self.page: ControlPage | None = None
        self.words: Sequence[int] = _CLOSED
        self.numbers: mmap.mmap | bytes = b""
        self.generation: int = NOT_OPEN
        self.environment: lmdb.Environment | None = None
        self.begin: Callable[[], lmdb.Transaction] = _not_open

    def renew(self) -> bool:
        """Open what is current. Give False where there is nothing, or nothing that is whole."""
        with self._opening:
            # A generation may be replaced between the look at its number and its opening.
            for _ in range(10):
                page = self._mapped()
                if page is None or not page.words[GENERATION]:
                    return False
                current = page.words[GENERATION]
                try:
                    self.open(current)
                except FileNotFoundError:
                    continue
                except lmdb_file.EarlierVersionError as earlier:
                    self.complain_of_earlier(current, earlier)
                    return False
                except (lmdb_file.DamagedError, *lmdb_file.DAMAGE) as damage:
                    self.complain(f"{self.generations.path(current)} is damaged and must be built again: {damage}")
                    return False
                return not self._notice_older()
            return False

    def open(self, generation: int) -> lmdb.Environment:
        """Read from a generation from now on. Raises FileNotFoundError, DamagedError, EarlierVersionError."""
        with self._opening:
            if self.generation == generation and self.environment is not None:
                return self.environment
            environment = lmdb_file.open_existing(
                self.generations.path(generation), map_size=self.map_size, durable=self.boot is None
            )
            try:
                refuse_earlier(environment)
            except BaseException:
                environment.close()
                raise
            self._adopt(generation, environment)
            return environment

    def publish(self, generation: int, environment: lmdb.Environment, epoch: int, position: int) -> None:
        """Tell every process what is current. Call it under the write lock."""
        # A thread that sees the new number must find the generation open: to open it twice is an error.
        with self._opening:
            self.control().write(generation, epoch, position)
            if self.generation != generation:
                self._adopt(generation, environment)

    def _adopt(self, generation: int, environment: lmdb.Environment) -> None:
        # The old environment is not closed but let go: a thread may stand in the middle of a read.
        self.opened += 1
        self.environment = environment
        self.begin = environment.begin
        if self.page is not None:
            self.words, self.numbers = self.page.words, self.page.numbers
        self.generation = generation

    def control(self) -> ControlPage:
        """The control page, made if need be. Call it under the write lock."""
        with self._opening:
            self.look()
            page = self._mapped()
            if page is None:
                self._forget()
                self.page = page = ControlPage.create(self.folder / "control")
                # A lost page starts again above every generation anybody may still have open.
                page.write(self.generations.current() or 0, 0, 0)
            return page

    def look(self) -> None:
        """Notice that the files were replaced under this process. Costs system calls: not for every check."""
        page = self.page
        if page is None:
            self._notice_lost()
            return
        if page.current():
            self._notice_older()
            return
        with self._opening:
            # Whatever stands there now must not be behind what this page told last.
            if page.words[GENERATION] >= self._reached[0]:
                self._reached = (page.words[GENERATION], page.words[POSITION])
            self._forget()
        self._notice_lost()

    def _notice_lost(self) -> None:
        """Say so where there was an index and is none: nobody is told to build it by reading what is not there."""
        with self._opening:
            lost = self._reached[0] != NOT_OPEN and self._mapped() is None
        if lost:
            self.complain(f"the index in {self.folder} was lost and must be built again")

    def _notice_older(self) -> bool:
        """Tell whether an older copy stands where a newer file was; it is marked as damaged then, and let go of.

        A file never goes back: it is behind neither the control page, which is written after it, nor what this
        process has seen of it. Another history is another generation, with a higher number.
        """
        generation, environment, page = self.generation, self.environment, self.page
        if environment is None or page is None:
            return False
        # The page is read first: what it tells of had been committed by then.
        told = page.words[POSITION] if page.words[GENERATION] == generation else 0
        try:
            here = position_in(environment)
        except lmdb.Error as error:
            # The map was grown, or a fork closed the file under this thread: what opens it again looks again.
            if isinstance(error, lmdb.MapResizedError) or self.environment is not environment:
                return False
            raise
        if here is None:
            return False
        seen, reached = self._reached
        least = max(told, reached if generation <= seen else 0)
        if here >= least:
            self._reached = (generation, here)
            return False
        if self.generations.current() != generation:
            # The page is just being written for the generation that comes after this one.
            return False
        with self._opening:
            self._reached = (NOT_OPEN, 0)
            if self.generation == generation:
                self.suspect(lmdb_file.OlderCopyError(f"it is at position {here}, and was at {least}"))
                self._forget()
        return True

    def let_go(self) -> None:
        """Read no more from what is open; nothing is closed under a thread that still does."""
        with self._opening:
            self._forget()

    def complain(self, message: str) -> None:
        """Say what is damaged; the same thing again only after a while, for whoever could not mend it."""
        now = time.monotonic()
        said, at = self._complained
        if message != said or now >= at + _SAY_AGAIN:
            self._complained = message, now
            self.on_damage(message)

    def complain_of_earlier(self, generation: int, error: Exception) -> None:
        """Say that a generation is of an earlier version."""
        path = self.generations.path(generation)
        self.complain(f"{path} is of an earlier version and must be built again: {error}")

    def suspect(self, error: Exception) -> None:
        """A read went wrong in a way only damage explains: the next writer sets the generation aside."""
        folder = self.generations.path(self.generation)
        lmdb_file.mark_damaged(folder)
        self.complain(f"{folder} is damaged and must be built again: {error}")

    def grow(self) -> None:
        """Adopt the size of a map that another process made larger than ours."""
        with self._opening:
            if self.environment is not None:
                self.environment.set_mapsize(0)

    def close(self) -> None:
        """Let go of everything; it is opened again when it is needed."""
        with self._opening:
            environment = self.environment
            self._forget()
            if environment is not None:
                environment.close()
            self.pending.close()

    def before_fork(self) -> None:
        """Wait for this process's writer and let go of everything.

        In the child LMDB may neither use nor close what the parent has open: closing would free the
        parent's slots in the table of readers.
        """
        self.writing.acquire()
        self._opening.acquire()
        self.close()

    def after_fork(self) -> None:
        """Go on, in the parent and in the child."""
        self._opening.release()
        self.writing.release()

    def _mapped(self) -> ControlPage | None:
        if self.page is None:
            self.page = ControlPage.open(self.folder / "control")
        return self.page


def files_of(folder: Path, *, boot: str | None, map_size: int = lmdb_file.RESERVED) -> Files:
    """The files of a path, one object for the whole process."""
    name = os.path.realpath(folder)
    with _knowing:
        found = _known.get(name)
        if found is None:
            found = _known[name] = Files(Path(name), boot=boot, map_size=map_size)
        return found


_forking: "list[Files]" = []


def _before_fork() -> None:
    _knowing.acquire()
    _forking[:] = _known.values()
    for files in _forking:
        files.before_fork()


def _after_fork() -> None:
    for files in _forking:
        files.after_fork()
    _forking.clear()
    _knowing.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
