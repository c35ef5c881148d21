"""The numbers of all processes of one run of `serve` or `gateway`, each in a small file of its own.

Whoever is asked for them tells those of all. What a process that died had counted stays: the one in its place goes
on from there, so that no counter goes backwards before the run ends.
"""

import multiprocessing
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

import msgspec

_FOLDER = "metrics"
_SUFFIX = ".json"
_EVERY = 1.0


class Told(Protocol):
    """What a process counts: its journal."""

    @property
    def decided(self) -> Mapping[str, int]:
        """How many checks it decided, by code."""

    @property
    def waiting(self) -> int:
        """How many decisions are in its memory alone."""

    @property
    def lost(self) -> int:
        """How many decisions it lost."""


class Numbers(msgspec.Struct, frozen=True):
    """The numbers of a process, and of those that were in its place before it."""

    process: str
    pid: int
    decided: dict[str, int]
    lost: int
    waiting: int

    @property
    def lives(self) -> bool:
        """Whether the process is still there."""
        return _lives(self.pid)


_decode = msgspec.json.Decoder(Numbers).decode


class Run:
    """What this process tells the others of its run, and what they tell. Without a folder it is alone.

    A place in the run has a name, `worker 1`, that stays when its process is started again.
    """

    def __init__(self, told: Told, folder: Path | None = None, process: str = "main") -> None:
        self._told = told
        self._folder = folder
        self._process = process
        self._file = folder / f"{process.replace(' ', '-')}{_SUFFIX}" if folder else None
        self._before = _read(self._file) if self._file else None
        self._last: Numbers | None = None
        self._telling = threading.Lock()

    @classmethod
    def of_this_process(cls, told: Told, home: Path) -> Self:
        """Take this process's place in the run of the one that started it, and go on telling its numbers."""
        parent = multiprocessing.parent_process()
        if parent is None or parent.pid is None:
            return cls(told)
        run = cls(told, _folder_of(home, parent.pid), multiprocessing.current_process().name)
        threading.Thread(target=run._go_on, name="scopekey-metrics", daemon=True).start()
        return run

    def tell(self) -> Numbers:
        """Tell the numbers of this process as they are now."""
        with self._telling:
            numbers = self._now()
            if self._file is not None and numbers != self._last:
                # On a full disk the others know what was told last.
                with suppress(OSError):
                    fresh = self._file.with_suffix(".new")
                    self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    fresh.write_bytes(msgspec.json.encode(numbers))
                    fresh.replace(self._file)
                    self._last = numbers
        return numbers

    def numbers(self) -> list[Numbers]:
        """The numbers of all processes, this one's first."""
        own = self.tell()
        files = sorted(self._folder.glob(f"*{_SUFFIX}")) if self._folder else []
        others = (_read(file) for file in files if file != self._file)
        return [own, *(numbers for numbers in others if numbers is not None)]

    def _now(self) -> Numbers:
        told, before = self._told, self._before
        decided, lost = dict(told.decided), told.lost
        if before is not None:
            lost += before.lost
            decided = {code: number + before.decided.get(code, 0) for code, number in decided.items()}
        return Numbers(self._process, os.getpid(), decided, lost, told.waiting)

    def _go_on(self) -> None:
        waiting = threading.Event()
        while not waiting.wait(_EVERY):
            self.tell()


def begin_run(home: Path) -> None:
    """Make room for the numbers of the processes that this one will start, and tidy up after runs that were killed."""
    with suppress(OSError):
        for folder in (home / _FOLDER).iterdir():
            if folder.name.isdecimal() and (int(folder.name) == os.getpid() or not _lives(int(folder.name))):
                shutil.rmtree(folder, ignore_errors=True)


def end_run(home: Path) -> None:
    """Forget the numbers of the processes that this one started."""
    shutil.rmtree(_folder_of(home, os.getpid()), ignore_errors=True)


def _folder_of(home: Path, pid: int) -> Path:
    return home / _FOLDER / str(pid)


def _read(file: Path) -> Numbers | None:
    try:
        return _decode(file.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def _lives(pid: int) -> bool:
    # On Windows asking would interrupt it.
    if sys.platform != "win32":
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:
            # There is one, of somebody else.
            return True
    return True
