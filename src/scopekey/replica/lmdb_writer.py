"""The one writer of an LMDB index, while it holds the write lock.

Everything it does becomes visible in one step when it finishes: the transaction of the generation is
committed, a new generation is named, and then the control page tells every process.
"""

import time
from collections.abc import Iterable, Iterator, Sequence

import lmdb

from scopekey.core.change import Change, State
from scopekey.core.key import Key
from scopekey.core.organization import Organization
from scopekey.replica import history, lmdb_file
from scopekey.replica.control import EPOCH, GENERATION, POSITION
from scopekey.replica.index import NotNextError, Place
from scopekey.replica.lmdb_files import Files
from scopekey.replica.pending import Ledger
from scopekey.replica.place_row import PLACE, pack_place, read_place
from scopekey.replica.record import UnreadableRecordError, name_of, pack, seal
from scopekey.wire.changes import encode_state, kind_of

# A tilde is in no id: these stand behind all keys, whose names are the 12 characters of their ids.
BOOT = b"~boot"
ORGANIZATION = b"~organization/"
CATALOG = b"~catalog"
RULES = b"~rules"

_NAMES = {"catalog": CATALOG, "rules": RULES}
_LOAD_BATCH = 100_000


class LmdbWriter:
    """Writes one index. Made and finished by ``LmdbIndex.writing``."""

    def __init__(self, files: Files, ledger: Ledger) -> None:
        self._files = files
        self._ledger = ledger
        self._page = files.control()
        self._epoch = self._page.words[EPOCH]
        self._place: Place | None = None
        self._loaded: int | None = None
        self._environment: lmdb.Environment | None = None
        self._transaction: lmdb.Transaction | None = None
        generation = files.generations.current()
        if generation is not None:
            try:
                self._begin(generation)
            except lmdb_file.EarlierVersionError as earlier:
                # It stays where it is for processes of that version, until the one built now takes its place.
                files.complain_of_earlier(generation, earlier)
            except (lmdb_file.DamagedError, *lmdb_file.DAMAGE) as damage:
                self._set_aside(generation, damage)

    def place(self) -> Place | None:
        """Where the index is, or None while it is empty or, being of an earlier boot, not to be trusted."""
        return self._place

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes in order. Raises NotNextError, having changed nothing, if they do not follow."""
        place, transaction = self._place, self._transaction
        if place is None or transaction is None:
            raise NotNextError("the index is empty: it must be loaded before changes can follow")
        for at, change in enumerate(changes, start=place.position + 1):
            if change.position != at:
                raise NotNextError(f"the change at {change.position} does not follow: the next one is {at}")
        # Whatever cannot be encoded is found before anything is written.
        for name, value in [_row(change.state) for change in changes]:
            transaction.put(name, value)
        for change in changes:
            history.remember(transaction, change)
        if changes:
            self._epoch += any(not isinstance(change.state, Key) for change in changes)
            self._move(Place(place.feed_id, changes[-1].position, changes[-1].mark))

    def load(self, place: Place, changes: Iterable[Change]) -> None:
        """Replace everything by a snapshot, each thing once, keys in the order of their ids."""
        self.undo()
        generation = self._files.generations.prepare(max(self._page.words[GENERATION], self._files.generation))
        self._loaded = generation
        environment = lmdb_file.create(
            self._files.generations.path(generation),
            map_size=self._files.map_size,
            durable=self._files.boot is None,
        )
        self._environment = environment
        self._transaction = _fill(environment, changes)
        if self._files.boot is not None:
            self._transaction.put(BOOT, self._files.boot.encode())
        history.begin(self._transaction, place.position, place.mark)
        self._epoch += 1
        self._move(place)

    def orphaned(self) -> bool:
        """Tell whether a process that announced a commit has ended: only the store knows what became of it."""
        return self._ledger.orphaned

    def settle(self, token: bytes) -> None:
        """Remove a pending mark."""
        self._ledger.remove(token)

    def finish(self) -> None:
        """Commit, and let every process of the machine see it before this returns."""
        transaction, environment, place = self._transaction, self._environment, self._place
        if transaction is None or environment is None or place is None:
            return
        transaction.commit()
        self._transaction = None
        files, loaded = self._files, self._loaded
        if loaded is not None:
            lmdb_file.fill_up(environment)
            files.generations.publish(loaded)
            self._loaded = None
        files.publish(files.generation if loaded is None else loaded, environment, self._epoch, place.position)
        if loaded is None:
            lmdb_file.fill_up(environment)
        else:
            files.generations.clean(loaded)
        self._ledger.forgive()

    def undo(self) -> None:
        """Leave everything as it was."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.abort()
        if self._loaded is not None and self._environment is not None:
            self._environment.close()
            self._files.generations.remove(self._loaded)
            self._loaded = self._environment = None

    def _begin(self, generation: int) -> None:
        """Open the current generation for writing, and see where it is."""
        files = self._files
        environment = files.open(generation)
        if (files.generations.path(generation) / lmdb_file.DAMAGE_MARK).exists():
            raise lmdb_file.DamagedError("it was found damaged while it was read")
        environment.reader_check()
        transaction = self._writable(environment)
        packed, boot = transaction.get(PLACE), transaction.get(BOOT)
        try:
            place, epoch = read_place(bytes(packed or b""))
        except UnreadableRecordError as fault:
            transaction.abort()
            raise lmdb_file.DamagedError(str(fault)) from fault
        words = self._page.words
        if words[GENERATION] == generation and words[POSITION] > place.position:
            # The page is written after the commit: an older copy of the file was put back. Its rows are whole, but
            # LMDB may still go by what it knew of the newer one, and nobody can tell what it said at which time.
            transaction.abort()
            raise lmdb_file.OlderCopyError(f"it is at position {place.position}, and was at {words[POSITION]}")
        # What was committed by a process that was killed before it told the others is told now.
        self._epoch = max(epoch, self._epoch)
        files.publish(generation, environment, self._epoch, place.position)
        if files.boot is None or boot == files.boot.encode():
            self._environment, self._transaction, self._place = environment, transaction, place
        else:
            # Nothing was synced to the disk: a reboot may have kept a part of it. It is read on, as stale,
            # but nothing is built on it.
            transaction.abort()

    def _writable(self, environment: lmdb.Environment) -> lmdb.Transaction:
        try:
            return environment.begin(write=True)
        except lmdb.MapResizedError:
            self._files.grow()
            return environment.begin(write=True)

    def _set_aside(self, generation: int, damage: Exception) -> None:
        files = self._files
        if isinstance(damage, lmdb_file.OlderCopyError):
            files.let_go()
        aside = files.generations.set_aside(generation, time.time_ns() // 1_000_000)
        files.complain(f"{files.generations.path(generation)} is damaged and was set aside as {aside.name}: {damage}")

    def _move(self, place: Place) -> None:
        transaction = self._transaction
        if transaction is None:
            raise NotNextError("the index is empty")
        self._place = place
        transaction.put(PLACE, pack_place(place, self._epoch))


def _row(state: State) -> tuple[bytes, bytes]:
    """The name under which a state is kept, and its bytes, sealed."""
    if isinstance(state, Key):
        return name_of(state.id), pack(state)
    name = ORGANIZATION + state.id.encode("ascii") if isinstance(state, Organization) else _NAMES[kind_of(state)]
    return name, seal(name, encode_state(state))


def _fill(environment: lmdb.Environment, changes: Iterable[Change]) -> lmdb.Transaction:
    """Write a snapshot in large transactions; the last one is given back open."""
    others: list[tuple[bytes, bytes]] = []
    transaction = environment.begin(write=True)
    try:
        for count, (name, value) in enumerate(_keys(changes, others), start=1):
            # In order a key goes to the end of the file; one out of order still finds its place.
            if not transaction.put(name, value, append=True):
                transaction.put(name, value)
            if count % _LOAD_BATCH == 0:
                transaction.commit()
                transaction = environment.begin(write=True)
        for name, value in sorted(others):
            transaction.put(name, value)
    except BaseException:
        transaction.abort()
        raise
    return transaction


def _keys(changes: Iterable[Change], others: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for change in changes:
        row = _row(change.state)
        if isinstance(change.state, Key):
            yield row
        else:
            others.append(row)
