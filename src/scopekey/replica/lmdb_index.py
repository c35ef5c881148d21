"""The index in an LMDB file that all processes of a machine share: no load time, no memory per key.

Each read renews its view, so it sees the newest commit; a key is read once for each change of the index.
A read that fails raises; it never gives an answer that might be wrong: a row whose checksum does not fit
marks the generation as damaged.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import Any

import lmdb

from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.core.rules import Rules
from scopekey.replica import boot as machine
from scopekey.replica import lmdb_file
from scopekey.replica.clock import milliseconds
from scopekey.replica.control import GENERATION, LEVEL_BOOT, LEVEL_WALL, NUMBERS, ControlPage
from scopekey.replica.freshness import Level
from scopekey.replica.index import Now, Place
from scopekey.replica.kept import NOTHING_KEPT, Kept
from scopekey.replica.lmdb_files import NOT_OPEN, files_of
from scopekey.replica.lmdb_writer import BOOT, CATALOG, ORGANIZATION, RULES, LmdbWriter
from scopekey.replica.place_row import PLACE, read_place
from scopekey.replica.record import DamagedRecordError, UnreadableRecordError, name_of, unpack, unseal
from scopekey.wire.changes import decode_state

_NUMBERS = Struct("@QQQ")
_NEVER = Level(0, 0)


class EmptyIndexError(Exception):
    """There is no replica yet, or none that is whole."""


class LmdbIndex:
    """The index below a folder; opened at first use, and again in a child after a fork.

    `on_damage` is told in words what was found damaged (default: the log, as an error); the index is
    then empty until its owner loads it. `boot` names the boot of the machine: a file last written in
    another one is read, but counts as behind, and a writer finds it empty.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        on_damage: Callable[[str], None] | None = None,
        clock: Callable[[], int] = milliseconds,
        boot: str | None = None,
        map_size: int = lmdb_file.RESERVED,
    ) -> None:
        self._files = files_of(Path(path), boot=boot or machine.boot_id(), map_size=map_size)
        if on_damage is not None:
            self._files.on_damage = on_damage
        self._clock = clock
        self._noticed: int | None = None
        self._kept = NOTHING_KEPT

    def now(self) -> Now:
        """The present generation, epoch and position."""
        files, kept = self._files, self._kept
        # The same numbers give the same object: whoever keeps it need only compare identities.
        if files.numbers[NUMBERS] == kept.numbers and files.opened == kept.opened:
            return kept.now
        return self._look_again().now

    def key(self, key_id: KeyId) -> Key | None:
        """Find a key. Raises lmdb.Error or UnreadableRecordError where it cannot be told."""
        files, kept = self._files, self._kept
        if files.numbers[NUMBERS] != kept.numbers or files.opened != kept.opened:
            kept = self._look_again()
        return kept.keys.get(key_id) or self._read_key(key_id, kept)

    def organization(self, organization_id: OrganizationId) -> Organization | None:
        """Find an organization."""
        data = self._value(ORGANIZATION + organization_id.encode())
        return None if data is None else self._decoded("organization", data, Organization)

    def register(self) -> Register | None:
        """The applied catalog with its bits, or None before the first."""
        data = self._value(CATALOG)
        return None if data is None else self._decoded("catalog", data, Register)

    def rules(self) -> Rules | None:
        """The applied rules, or None before the first."""
        data = self._value(RULES)
        return None if data is None else self._decoded("rules", data, Rules)

    def place(self) -> Place | None:
        """Where the index is, or None while it is empty, or so damaged that it does not say where it is."""
        try:
            data = self._get(PLACE)
            return None if data is None else read_place(data)[0]
        except (DamagedRecordError, *lmdb_file.DAMAGE) as error:
            # Whoever follows from here must take a snapshot: that builds it again.
            self._failed(error)
            return None

    @contextmanager
    def writing(self) -> Iterator[LmdbWriter]:
        """Take the write lock; what the writer did is committed at the end, or undone by an exception.

        Whoever takes it brings the index level: when it ends well, the index counts as written in this
        boot, and marks of processes that had ended before are taken back.
        """
        with self._files.writing, self._files.pending.lock() as ledger:
            writer = LmdbWriter(self._files, ledger)
            try:
                yield writer
                writer.finish()
            finally:
                writer.undo()

    def leveled(self, level: Level) -> None:
        """Say that the replica held everything that was known at this moment where its changes come from.

        Kept in the page that all processes share; an index that was never loaded has none.
        """
        page = self._page()
        if page is not None:
            page.level(level)

    def level(self) -> Level:
        """When the replica was last known to be level; zeros where it never was."""
        words = self._files.words
        if words[GENERATION] != self._files.generation and not self._files.renew():
            return _NEVER
        words = self._files.words
        return Level(words[LEVEL_WALL], words[LEVEL_BOOT])

    def pend(self, token: bytes, now: int) -> None:
        """Announce that a commit is about to be made elsewhere which this index has not seen yet."""
        with self._files.writing, self._files.pending.lock() as ledger:
            ledger.add(token, now)

    def pending_since(self) -> int | None:
        """The time of the oldest pending mark, in milliseconds, or None."""
        return self._files.pending.since()

    def behind_since(self) -> int | None:
        """Since when the index is known to be behind, in milliseconds, or None while it is level.

        That is the oldest pending mark, or the moment at which it was first noticed here that the file
        was last written before this boot of the machine. For `Freshness`.
        """
        self._files.look()
        self._noticed = None if self._of_this_boot() else self._noticed or self._clock()
        return min((at for at in (self.pending_since(), self._noticed) if at is not None), default=None)

    @contextmanager
    def view(self) -> Iterator[lmdb.Transaction]:
        """One read view of everything, for as long as it is held. Raises EmptyIndexError where there is nothing.

        It keeps old pages from being used again: hold it for a moment, or for one pass. A row that whoever
        holds it finds damaged marks the generation, as it would here.
        """
        files = self._files
        if files.words[GENERATION] != files.generation and not files.renew():
            raise EmptyIndexError("the replica here is empty")
        transaction = files.begin()
        try:
            yield transaction
        except DamagedRecordError as error:
            self._failed(error)
            raise
        finally:
            transaction.abort()

    def look(self) -> None:
        """Notice that the files were replaced under this process. Costs a system call: not for every check."""
        self._files.look()

    def sound(self) -> bool:
        """Tell whether the file is all there and nobody found it damaged. Costs system calls: not for every check."""
        files = self._files
        files.look()
        if files.words[GENERATION] != files.generation and not files.renew():
            return False
        environment, folder = files.environment, files.generations.path(files.generation)
        if environment is None or (folder / lmdb_file.DAMAGE_MARK).exists():
            return False
        try:
            long_enough = (folder / "data.mdb").stat().st_size >= lmdb_file.needed_size(environment)
        except OSError:
            return False
        return long_enough and files.generations.current() == files.generation

    def close(self) -> None:
        """Let go of the files in this process; they are opened again when they are needed."""
        self._files.close()

    def _look_again(self) -> Kept:
        files = self._files
        while True:
            # The numbers first: the generation that is found open after them is no older than they are.
            numbers, opened = bytes(files.numbers[NUMBERS]), files.opened
            if numbers and files.words[GENERATION] == files.generation:
                self._kept = kept = Kept(numbers, Now(*_NUMBERS.unpack(numbers)), opened)
                return kept
            if not files.renew():
                self._kept = NOTHING_KEPT
                return NOTHING_KEPT

    def _read_key(self, key_id: KeyId, kept: Kept) -> Key | None:
        if kept is NOTHING_KEPT:
            return None
        name = key_id[4:].encode()
        try:
            transaction = self._files.begin()
            try:
                record: Any = transaction.get(name)
            finally:
                transaction.abort()
            if record is None:
                return None
            # Bytes, not a view of them: no buffers were asked for.
            key = unpack(key_id, name, record)
        except (lmdb.Error, DamagedRecordError) as error:
            return self._key_again(key_id, error)
        return kept.keep(key)

    def _page(self) -> ControlPage | None:
        self._files.look()
        return self._files.page if self._files.page is not None or self._files.renew() else None

    def _of_this_boot(self) -> bool:
        boot = self._files.boot
        return boot is None or self._get(BOOT) in {None, boot.encode()}

    def _get(self, name: bytes) -> bytes | None:
        files = self._files
        if files.words[GENERATION] != files.generation and not files.renew():
            return None
        try:
            return _read(files.begin(), name)
        except lmdb.Error as error:
            self._failed(error)
            # The map was grown, or a fork closed the file under this thread: one more try, on what is open now.
            if isinstance(error, lmdb.MapResizedError) or (files.generation == NOT_OPEN and files.renew()):
                return _read(files.begin(), name)
            raise

    def _value(self, name: bytes) -> bytes | None:
        data = self._get(name)
        try:
            return None if data is None else unseal(name, data)
        except DamagedRecordError as error:
            self._failed(error)
            raise

    def _key_again(self, key_id: KeyId, error: Exception) -> Key | None:
        self._failed(error)
        if not isinstance(error, lmdb.MapResizedError) and self._files.generation != NOT_OPEN:
            raise error
        name = name_of(key_id)
        record = self._get(name)
        return None if record is None else unpack(key_id, name, record)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, lmdb.MapResizedError):
            self._files.grow()
        elif isinstance(error, (DamagedRecordError, *lmdb_file.DAMAGE)):
            self._files.suspect(error)

    def _decoded(self, kind: str, data: bytes, expected: type[Any]) -> Any:
        state = decode_state(kind, data)
        if not isinstance(state, expected):
            raise UnreadableRecordError(f"the index holds something else where its {kind} should be")
        return state


def _read(transaction: lmdb.Transaction, name: bytes) -> bytes | None:
    try:
        found = transaction.get(name)
        return None if found is None else bytes(found)
    finally:
        transaction.abort()
