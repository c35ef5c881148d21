"""The journal files of one process, one after the other: numbers records, and keeps what is not on the disk yet.

One thread calls it. What was written once as a frame is written again as the very same bytes, whatever failed
in between: a record keeps its number, and whoever counts by numbers counts it once.
"""

import errno
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scopekey.replica.batch import FILE_SIZE, Batch
from scopekey.replica.batch_bytes import encode, unreadable
from scopekey.replica.event import Event
from scopekey.replica.journal_file import Disk, JournalFile, JournalFullError, RealDisk, bytes_in
from scopekey.replica.journal_frames import frame
from scopekey.replica.refusals import Cell
from scopekey.wire.decisions import MAX_RECORDS, MAX_SIZE

_log = logging.getLogger(__name__)

FILE_ENDS = 16 << 20
"""From how many bytes a file is followed by another one."""
FILE_AGES = 86_400.0
"""From how many seconds: what a control plane remembers of a file, it need not remember for long."""
_FILES = 8
"""Of how many files at least all the bytes that there may be are made up: only a file that has ended makes room."""
_LOOK_EVERY = 1.0
Counts = tuple[tuple[Cell, int], ...]


class JournalWriter:
    """Writes frames into files of `folder`. `limit` is in bytes, for all files that are there together."""

    def __init__(
        self,
        folder: Path,
        node: Callable[[], str],
        *,
        limit: int,
        random: Callable[[int], bytes] = os.urandom,
        disk: Disk | None = None,
    ) -> None:
        self._folder = folder
        self._node = node
        self._machine = ""
        self._limit = limit
        self._random = random
        self._disk: Disk = disk or RealDisk()
        self.lost: int = 0
        """How many records were lost because no batch can hold them; all of them are owned up to."""
        self._begin_file()
        self._room, self._looked = 0, 0.0

    def _begin_file(self) -> None:
        self._name = self._random(FILE_SIZE).hex()
        self._next = 0
        self._dropped = 0
        self._successors = 0
        self._began = time.monotonic()
        self._file: JournalFile | None = None
        self._abandoned: list[JournalFile] = []
        self._unwritten: list[bytes] = []
        self._unsynced: list[bytes] = []
        self.unsynced_bytes: int = 0

    @property
    def owes(self) -> bool:
        """Whether there are frames that are not on the disk."""
        return bool(self._unwritten or self._unsynced)

    def add(self, events: list[Event], counts: Counts, lost: int, *, durable: bool) -> None:
        """Number records and make frames of them. `lost` were dropped since the last ones."""
        if not self.owes and self._is_over():
            self._end_file()
        self._dropped += lost
        for at in range(0, len(events), MAX_RECORDS):
            self._add(tuple(events[at : at + MAX_RECORDS]), (), durable=durable)
        for at in range(0, len(counts), MAX_RECORDS):
            self._add((), counts[at : at + MAX_RECORDS], durable=False)

    def prepare(self) -> None:
        """Write what an earlier failure left, and see that more can be numbered. Raises OSError."""
        self._machine = self._machine or self._node()
        if self._unwritten or (self._file is not None and self._file.broken):
            self.flush(sync=True)

    def flush(self, *, sync: bool) -> None:
        """Write what is not written, and with `sync` see it on the disk. Raises OSError; ask again."""
        if self._dropped and not self._unwritten:
            # Nothing came after them; they are owned up to all the same.
            self._add((), (), durable=False)
        if not self.owes:
            return
        file = self._opened()
        if self._unwritten:
            self._write(file)
        if sync and self._unsynced:
            file.sync()
            self._unsynced = []
            self.unsynced_bytes = 0

    def let_go(self) -> None:
        """In a child after a fork: leave everything to the parent."""
        for file in (self._file, *self._abandoned):
            if file is not None:
                file.close()

    def close(self) -> None:
        """Let go of the file. What is not on the disk by now is forgotten."""
        self._end_file()

    def _is_over(self) -> bool:
        file = self._file
        if file is None:
            return False
        large = min(FILE_ENDS, self._limit // _FILES)
        return file.broken or file.size >= large or time.monotonic() - self._began > FILE_AGES

    def _end_file(self) -> None:
        for file in (self._file, *self._abandoned):
            if file is not None:
                file.close()
                if not file.size:
                    with suppress(OSError):
                        file.path.unlink(missing_ok=True)
        self._begin_file()

    def _add(self, events: tuple[Event, ...], counts: Counts, *, durable: bool) -> None:
        lost, self._dropped = self._dropped, 0
        batch = Batch(self._name, self._next + lost, lost, events, counts, durable)
        try:
            encoded = encode(batch, self._machine)
        except UnicodeEncodeError:
            self._dropped += lost
            self._add_without(events, durable=durable)
            return
        if len(encoded) > MAX_SIZE:
            self._dropped += lost
            self._add_parts(events, counts, durable=durable)
            return
        self._next = batch.next
        self._unwritten.append(frame(encoded))

    def _add_parts(self, events: tuple[Event, ...], counts: Counts, *, durable: bool) -> None:
        half = max(len(events), len(counts)) // 2
        if not half:
            self._lose(1)
            return
        for part in (slice(None, half), slice(half, None)):
            self._add(events[part], counts[part], durable=durable)

    def _add_without(self, events: tuple[Event, ...], *, durable: bool) -> None:
        bad = set(unreadable(events, self._machine))
        self._lose(len(bad))
        self._add(tuple(event for at, event in enumerate(events) if at not in bad), (), durable=durable)

    def _lose(self, number: int) -> None:
        _log.error("%d decisions have a form that cannot be recorded, and are lost", number)
        self.lost += number
        self._dropped += number

    def _opened(self) -> JournalFile:
        """The file to write in. In the place of a broken one comes a successor, which has its name and its numbers."""
        file = self._file
        if file is not None and file.broken:
            # Held until the successor is there: the end of a file that nobody holds is taken for torn.
            self._abandoned.append(file)
            self._successors += 1
            self._unwritten = self._unsynced + self._unwritten
            self._unsynced, self.unsynced_bytes = [], 0
            file = self._file = None
        if file is None:
            name = f"{self._name}.{self._successors}" if self._successors else self._name
            file = self._file = JournalFile(self._folder, name, self._disk)
        return file

    def _write(self, file: JournalFile) -> None:
        data = b"".join(self._unwritten)
        try:
            self._make_room(len(data))
            file.write(data)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                self._give_up_room(file)
            raise
        self._room -= len(data)
        self.unsynced_bytes += len(data)
        self._unsynced += self._unwritten
        self._unwritten = []
        abandoned, self._abandoned = self._abandoned, []
        for one in abandoned:
            one.close()

    def _give_up_room(self, file: JournalFile) -> None:
        """End a file for want of room: all of it may be taken over already, and it stands in its own way.

        All its frames are complete: nobody takes its end for torn, though its successor is not there yet.
        """
        if not file.size or file.broken:
            return
        file.sync()
        self._unsynced, self.unsynced_bytes = [], 0
        file.close()
        self._file = None
        self._successors += 1

    def _make_room(self, size: int) -> None:
        now = time.monotonic()
        if size > self._room or now - self._looked > _LOOK_EVERY:
            self._room, self._looked = self._limit - bytes_in(self._folder), now
        if size > self._room:
            raise JournalFullError
