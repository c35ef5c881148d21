"""The control page: three numbers that every process of a machine shares and every check compares.

A mapped file of one page, which also says when the replica was last level. Each number is one aligned
word of eight bytes, which is read and written whole. Written only by whoever holds the write lock,
after its commit and before it returns.
"""

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

from scopekey.replica.freshness import Level

SIZE = 4096
MAGIC = int.from_bytes(b"sckctl01", "little")
GENERATION, EPOCH, POSITION = 1, 2, 3
LEVEL_WALL, LEVEL_BOOT = 4, 5
"""Where the numbers stand among the page's words; the first word tells that it is such a page.

The last two are the moment at which the replica was last known to be level, for replicas that follow a feed.
"""
NUMBERS = slice(8, 32)


class ControlPage:
    """The mapped page. `words[GENERATION]` is one number; `numbers[NUMBERS]` all three, as bytes to compare."""

    def __init__(self, path: Path, file: int) -> None:
        status = os.fstat(file)
        self._path = path
        self._identity = (status.st_dev, status.st_ino)
        self.numbers: mmap.mmap = mmap.mmap(file, SIZE)
        self._words = memoryview(self.numbers).cast("Q")
        self.words: Sequence[int] = self._words

    @classmethod
    def open(cls, path: Path) -> "ControlPage | None":
        """Map the page, or None where there is none. A shorter file is none: touching it would end the process."""
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            page = cls(path, file) if os.fstat(file).st_size == SIZE else None
        finally:
            os.close(file)
        return page if page is not None and page.words[0] == MAGIC else None

    @classmethod
    def create(cls, path: Path) -> "ControlPage":
        """Make the page of a new index: all three numbers are 0. Call it under the write lock."""
        fresh = path.with_suffix(".new")
        fresh.write_bytes(MAGIC.to_bytes(8, "little").ljust(SIZE, b"\0"))
        fresh.replace(path)
        page = cls.open(path)
        if page is None:
            raise OSError(f"the control page {path} could not be made")
        return page

    def current(self) -> bool:
        """Tell whether the file at its path is still this one."""
        return identity(self._path) == self._identity

    def write(self, generation: int, epoch: int, position: int) -> None:
        """Publish the numbers. The generation comes last: who sees it sees the others."""
        words = self._words
        words[POSITION] = position
        words[EPOCH] = epoch
        words[GENERATION] = generation

    def level(self, level: Level) -> None:
        """Publish when the replica was last level. Whoever reads only one of the two words sees it as older."""
        words = self._words
        words[LEVEL_BOOT] = level.boot
        words[LEVEL_WALL] = level.wall


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path, or None."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
