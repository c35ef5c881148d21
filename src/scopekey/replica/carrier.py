"""The carrier of a home folder: hands over what every process of this machine wrote into its journal.

One process of a machine carries, by a lock; another takes over where it ends. Which records are taken already
is known where they are taken: nothing is kept here, and what is offered twice counts once.
"""

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scopekey.replica.batch import MissingRecordsError, NotTakenError, RefusedBatchError, Take
from scopekey.replica.batch_joining import readable_parts
from scopekey.replica.fault import log_fault
from scopekey.replica.handed_over import HandedOver
from scopekey.replica.journal_file import SUFFIX, UNBORN
from scopekey.replica.journal_reader import JournalReader, Portion
from scopekey.replica.leader import Leadership
from scopekey.wire.decisions import UnreadableBatchError

_log = logging.getLogger(__name__)

CLOSE_WITHIN = 4.0
"""How long the end of a process waits for its last decisions to be taken, in seconds."""
LOCK = "carrier.lock"
"""The file in a journal's folder that whoever carries holds, and that says until when all of it is handed over."""
_BUSY, _IDLE, _STANDBY = 0.1, 0.25, 1.0
_CALM_AFTER = 2.0
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0
_FORGOTTEN_AFTER = 60.0


class Carrier:
    """Carries the journal files of `folder`, oldest first, to `take`, from a thread or at the end of a process.

    `node` gives the id of this machine, `hurry` is told how many seconds are left before each of the last calls.
    """

    def __init__(
        self,
        folder: Path,
        take: Take,
        *,
        node: Callable[[], str],
        hurry: Callable[[float], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._folder = folder
        self._take = take
        self._node = node
        self._hurry = hurry
        self._jitter = jitter
        self._leadership = Leadership(folder / LOCK)
        self._begin()
        _carriers.add(self)

    def _begin(self) -> None:
        self._readers: dict[str, JournalReader] = {}
        self._reached: dict[str, int] = {}
        self._handed_over = HandedOver(self._folder / LOCK)
        self._failures = 0
        self._said = False
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def _begin_in_child(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._begin()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that carries."""
        return self._leadership.held

    def start(self) -> None:
        """Carry in a thread of this process until `stop`, unless it does already."""
        with self._starting:
            if self._thread is None:
                self._stop.clear()
                thread = threading.Thread(target=self.run, name="scopekey-carrier", daemon=True)
                thread.start()
                self._thread = thread

    def stop(self, within: float = CLOSE_WITHIN) -> None:
        """End the thread, and hand over what is left for so many seconds, where nobody else carries."""
        ends = time.monotonic() + within
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(within)
            if thread.is_alive():
                return
        self._finish(ends)
        self._let_go()

    def run(self) -> None:
        """Carry until `stop`, in this thread."""
        worked = 0.0
        while not self._stop.is_set():
            # Where nobody has written yet, the first decisions are not to wait for longer than others.
            wait = _STANDBY if self._folder.is_dir() else _IDLE
            try:
                if self._leads():
                    if self.carry():
                        worked = time.monotonic()
                    wait = _BUSY if time.monotonic() - worked < _CALM_AFTER else _IDLE
            except NotTakenError as error:
                wait = error.wait
            except Exception as error:  # noqa: BLE001 - whatever keeps it from being taken, it stays in its file
                wait = self._failed(error)
            self._stop.wait(wait)

    def carry(self) -> bool:
        """Hand over all there is by now; tells whether there was anything. Raises what `take` raises, and OSError."""
        found = False
        while self._carry_once():
            found = True
            if self._stop.is_set():
                break
        return found

    def _leads(self) -> bool:
        if self._leadership.held:
            return True
        if not self._folder.is_dir() or not self._leadership.try_take():
            return False
        # Whoever carried before went further with these files, and removed some.
        self._close_readers()
        self._remove_unborn()
        return True

    def _finish(self, ends: float) -> None:
        try:
            while time.monotonic() < ends and self._leads():
                while time.monotonic() < ends and self._carry_once(ends):
                    pass
                self._leadership.release()
                # Whoever ended while the lock was held here found it taken, and left its file to this one.
                if not self._has_ended_files():
                    return
        except NotTakenError:
            pass
        except Exception as error:  # noqa: BLE001 - it stays in its file, for whoever comes next
            self._failed(error)

    def _let_go(self) -> None:
        self._leadership.release()
        self._close_readers()

    def _carry_once(self, ends: float | None = None) -> bool:
        """Hand over one portion of each file; tells whether there was any."""
        found, moment = False, time.time_ns()
        readers = self._refreshed()
        self._handed_over.look(moment, self._readers.values())
        for reader in readers:
            # Asked before the last look: what was written until then is there to be seen.
            ended = reader.is_ended()
            reader.has_successor = ended and self._successor(reader).exists()
            if not ended and not reader.has_more():
                continue
            portion = reader.read(ended=ended)
            if portion is not None:
                if ends is not None and self._hurry is not None:
                    self._hurry(max(0.1, ends - time.monotonic()))
                self._hand_over(reader, portion)
                found = True
            elif ended:
                reader.remove()
        self._handed_over.note(self._readers.values())
        return found

    def _refreshed(self) -> list[JournalReader]:
        """The files that are there, the oldest first; of successors only the first that is not taken over yet."""
        names = {path.name for path in self._paths()}
        for name in [name for name in self._readers if name not in names]:
            self._readers.pop(name).close()
        new = []
        for name in names - self._readers.keys():
            with suppress(FileNotFoundError):
                new.append(JournalReader(self._folder / name, self._node()))
        for reader in sorted(new, key=lambda reader: (reader.born, reader.path.name)):
            reader.expected = self._reached.get(reader.stream)
            self._readers[reader.path.name] = reader
        first: dict[str, JournalReader] = {}
        for reader in self._readers.values():
            if reader.stream not in first or reader.successor < first[reader.stream].successor:
                first[reader.stream] = reader
        self._reached = {name: number for name, number in self._reached.items() if name in first}
        return list(first.values())

    def _hand_over(self, reader: JournalReader, portion: Portion) -> None:
        try:
            reached = self._take(portion.batch)
        except MissingRecordsError as error:
            self._go_back(reader, error.expected)
            return
        except (RefusedBatchError, UnreadableBatchError) as error:
            reached = self._take_parts(portion, error)
        if reached < portion.next:
            raise ValueError("less was taken than was handed over")
        if portion.damaged:
            _log.error("%s: %d bytes are damaged; what stood there is lost", reader.path, portion.damaged)
        if self._said:
            _log.warning("decisions are handed over again")
        self._failures, self._said = 0, False
        reader.took(portion, reached)
        self._reached[reader.stream] = reached

    def _go_back(self, reader: JournalReader, expected: int) -> None:
        """Where records are taken, earlier ones are not known: they come again, as far as they are still here."""
        _log.warning("decisions before %d of a journal are not known any more where they are taken", expected)
        reader.go_back(expected)
        if self._failures:
            raise NotTakenError(self._wait())
        self._failures = 1

    def _take_parts(self, portion: Portion, refused: RefusedBatchError | UnreadableBatchError) -> int:
        """Leave out what cannot be recorded, and hand over the others. Raises NotTakenError where nothing is found."""
        parts, bad = readable_parts(portion.batch)
        if not parts:
            _log.error("a torn end of a journal file was cut, and cannot be recorded where decisions are taken")
            return portion.next
        if not bad:
            if not self._said:
                self._said = True
                _log.error(
                    "decisions are refused where they are taken, and can be read here: upgrade the control plane"
                )
            raise NotTakenError(refused.wait if isinstance(refused, RefusedBatchError) else self._wait())
        reached = 0
        for part in parts:
            reached = self._take(part)
        _log.error("%d decisions have a form that cannot be recorded, and are lost", bad)
        return reached

    def _failed(self, error: Exception) -> float:
        """Say it once; gives how long to wait."""
        if not self._said:
            self._said = True
            log_fault(_log, error, "decisions cannot be handed over; they stay in the journal")
        return self._wait()

    def _wait(self) -> float:
        wait = min(_FIRST_WAIT * 2.0**self._failures, _LONGEST_WAIT)
        self._failures = min(self._failures + 1, 10)
        return wait * (0.5 + self._jitter() / 2)

    def _paths(self) -> list[Path]:
        try:
            return [Path(entry.path) for entry in os.scandir(self._folder) if entry.name.endswith(SUFFIX)]
        except FileNotFoundError:
            return []

    def _successor(self, reader: JournalReader) -> Path:
        return self._folder / f"{reader.stream}.{reader.successor + 1}{SUFFIX}"

    def _has_ended_files(self) -> bool:
        return any(reader.is_ended() for reader in self._refreshed())

    def _remove_unborn(self) -> None:
        """What a process left that died while it made a file."""
        for path in self._folder.glob(f"*{UNBORN}"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _FORGOTTEN_AFTER:
                    path.unlink()

    def _close_readers(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers, self._reached = {}, {}


_carriers: "weakref.WeakSet[Carrier]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for carrier in list(_carriers):
        # The thread did not come along; the parent goes on carrying.
        carrier._begin_in_child()  # noqa: SLF001 - the carrier's own module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
