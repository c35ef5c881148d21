"""A journal file as a carrier reads it: complete frames, in their order, as batches to be handed over."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from scopekey.replica.batch_joining import Head, head_of, join
from scopekey.replica.control import identity
from scopekey.replica.journal_file import SUFFIX
from scopekey.replica.journal_frames import lines
from scopekey.replica.leader import try_lock
from scopekey.wire.decisions import MAX_RECORDS, MAX_SIZE, write_batch

_WINDOW = 2 * MAX_SIZE
_LARGE = 200
"""From so many records on a frame goes up as it stands; smaller ones are joined."""
_ROOM = MAX_SIZE - 4096


class Portion(msgspec.Struct, frozen=True, gc=False):
    """What is handed over at once: a batch, the number after it, and where in the file it ends.

    `damaged` is how many bytes before it could not be read.
    """

    batch: bytes
    next: int
    end: int
    damaged: int = 0


class JournalReader:
    """Reads one file. `expected` is the number that comes next where records are taken, None while nobody knows."""

    def __init__(self, path: Path, node: str) -> None:
        """Open it. Raises OSError."""
        self.path = path
        self._node = node
        self.stream: str
        self.stream, _, successor = path.name.removesuffix(SUFFIX).partition(".")
        self.successor: int = int(successor or 0)
        self.at: int = 0
        self.expected: int | None = None
        self.has_successor = False
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        status = os.fstat(self._file)
        self._identity = (status.st_dev, status.st_ino)
        self.born: int = status.st_mtime_ns

    def is_ended(self) -> bool:
        """Whether nobody will write here any more: whoever wrote has let go of it, or died."""
        if not try_lock(self._file):
            return False
        import fcntl  # noqa: PLC0415 - there is none on Windows

        fcntl.flock(self._file, fcntl.LOCK_UN)
        return True

    def has_more(self) -> bool:
        """Whether there is anything that was not read yet."""
        return self.size() > self.at

    def size(self) -> int:
        """How many bytes it has by now. Raises OSError."""
        return os.fstat(self._file).st_size

    def read(self, *, ended: bool) -> Portion | None:
        """The next portion, None where there is nothing to hand over by now. Raises OSError.

        Of a file that has ended, the rest that is no frame is handed over too: as a cut.
        """
        window = _WINDOW
        while True:
            found = os.pread(self._file, window, self.at)
            portion, passed = self._portion(found)
            if portion is not None:
                return portion
            if passed:
                self.at += passed
                continue
            if len(found) < window:
                return self._cut(len(found)) if ended and found and not self.has_successor else None
            window *= 4

    def took(self, portion: Portion, reached: int) -> None:
        """Note that a portion was taken over, and the number that is expected since."""
        self.at, self.expected = portion.end, reached

    def go_back(self, expected: int) -> None:
        """Begin anew with the number that is expected, as far as it is here."""
        self.at, self.expected = 0, expected

    def remove(self) -> None:
        """Take the file away: all of it is taken over."""
        if identity(self.path) == self._identity:
            with suppress(FileNotFoundError):
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _portion(self, found: bytes) -> tuple[Portion | None, int]:
        """The first portion of what was read; else how much of it need not be read again."""
        batches: list[bytes] = []
        head: Head | None = None
        begin = end = records = size = passed = following = 0
        damaged = False
        for batch, after in lines(found):
            numbers = None if batch is None else head_of(batch)
            if batch is None or numbers is None:
                if batches:
                    break
                damaged = True
                continue
            if head is None:
                if self.expected is not None and numbers.next <= self.expected:
                    passed, damaged = after, False
                    continue
                head, begin = numbers, after
            elif not self._joins(head, numbers, records, size + len(batch), following):
                break
            batches.append(batch)
            records, size, end, following = records + len(numbers), size + len(batch), after, numbers.next
            if len(numbers) >= _LARGE or numbers.refusals or numbers.cut:
                break
        if head is None:
            return None, passed
        lost = head.lost
        if self.expected is not None or damaged:
            # What is missing is owned up to, whatever became of it.
            lost = max(0, head.offset - (self.expected or 0))
        whole = batches[0] if len(batches) == 1 and lost == head.lost else join(batches, lost)
        bad = (begin - len(batches[0]) - 10) - passed if damaged else 0
        return Portion(whole, following, self.at + end, bad), passed

    @staticmethod
    def _joins(head: Head, numbers: Head, records: int, size: int, following: int) -> bool:
        return (
            numbers.offset == following
            and numbers.lost == 0
            and numbers.durable == head.durable
            and len(numbers) < _LARGE
            and records + len(numbers) <= MAX_RECORDS
            and size < _ROOM
        )

    def _cut(self, size: int) -> Portion:
        number = self.expected or 0
        batch = write_batch(node=self._node, file=self.stream, offset=number, lost=0, cut=size)
        return Portion(batch, number + 1, self.at + size)
