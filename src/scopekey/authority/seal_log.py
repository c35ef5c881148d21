"""Number and seal the entries that arrived: the log grows, and a signed checkpoint says how far.

Any process with the store may do it, one at a time. An entry gets its index, its search columns, its
place in the tree and its share in what keys were used for in one transaction, or none of them.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count

import msgspec

from scopekey.audit.checkpoint import Checkpoint, sign_checkpoint
from scopekey.audit.entry import Entry, read_entry
from scopekey.audit.merkle import leaf_hash
from scopekey.audit.note import VerifierKey, verifier_key
from scopekey.audit.signing import signing_key_id
from scopekey.audit.tiles import Growth
from scopekey.authority.fold_use import fold_use
from scopekey.insight.use import Folded, fold
from scopekey.replica.clock import milliseconds
from scopekey.store.engine import Store
from scopekey.store.entry_columns import columns_of
from scopekey.store.errors import StoreError
from scopekey.store.log import Arrival, Row, StoredCheckpoint
from scopekey.store.transaction import Transaction

_log = logging.getLogger(__name__)

LOG_ORIGIN = "log_origin"
"""The name in the store's own table under which the log's name is kept."""
AT_ONCE = 500
"""How many entries one transaction seals: the write lock of a SQLite file is to be held for a moment only."""

Head = Callable[[StoredCheckpoint], None]
"""Somewhere else a checkpoint is told."""


class LogSealer:
    """Seals the log of one store. `seed` is its signing key, `origin` its name, where it has none yet.

    `heads` are told of each checkpoint once it is committed; what one of them raises is only logged.
    """

    def __init__(
        self,
        store: Store,
        *,
        seed: bytes,
        origin: str | None = None,
        heads: Sequence[Head] = (),
        clock: Callable[[], int] = milliseconds,
    ) -> None:
        self._store = store
        self._seed = seed
        self._origin = origin
        self._heads = heads
        self._clock = clock
        self._failed: set[Head] = set()
        self._sealing = threading.Lock()

    def __call__(self) -> int:
        """Seal all that waits, in as many transactions as it takes; gives how many entries.

        Where another process is at it, it is left to that one. Raises StoreUnavailableError.
        """
        sealed = 0
        with self._sealing:
            while taken := self._seal_some():
                sealed += taken
            fold_use(self._store)
        return sealed

    def _seal_some(self) -> int:
        with self._store.reading() as tx:
            prepared = prepare(tx)
        if not prepared.taken:
            return 0
        began = time.monotonic()
        with self._store.writing() as tx:
            checkpoint = seal(tx, prepared, self._signed, now=self._clock())
        if checkpoint is None:
            return 0
        for head in self._heads:
            self._tell(head, checkpoint)
        if len(prepared.taken) == AT_ONCE and not self._store.shared:
            # There is more. A file has one lock: whoever else waits for it gets it now, not after all of this.
            time.sleep(time.monotonic() - began)
        return len(prepared.taken)

    def _signed(self, tx: Transaction, size: int, root: bytes) -> str:
        return sign_checkpoint(Checkpoint(origin_of(tx, self._seed, self._origin), size, root), self._seed)

    def _tell(self, head: Head, checkpoint: StoredCheckpoint) -> None:
        try:
            head(checkpoint)
        except Exception as error:  # noqa: BLE001 - the log is sealed all the same
            if head not in self._failed:
                _log.error("a checkpoint could not be written elsewhere (%s)", type(error).__name__)
            self._failed.add(head)
        else:
            self._failed.discard(head)


class Prepared(msgspec.Struct, frozen=True):
    """Entries that wait, and what they will be in a log of this size; `use` is None where it is to be told later."""

    size: int
    taken: list[Arrival]
    rows: list[Row]
    leaves: list[bytes]
    use: Folded | None


def prepare(tx: Transaction) -> Prepared:
    """Get ready what waits. It is most of the work, and keeps nobody from the store."""
    state = tx.log.state()
    size, taken = state.size, tx.log.arrivals(AT_ONCE)
    entries = [_read(one) for one in taken]
    rows = [(at, *columns_of(entry, one.body)) for at, entry, one in zip(count(size), entries, taken, strict=False)]
    # Behind, it is cheaper to fold more at once: most of them will be about the same keys.
    level = state.folded == size and len(taken) < AT_ONCE
    return Prepared(size, taken, rows, [leaf_hash(one.body) for one in taken], fold(entries) if level else None)


def _read(arrival: Arrival) -> Entry:
    try:
        return read_entry(arrival.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise StoreError(
            f"the row {arrival.id} of the table arrivals is no entry: somebody wrote to it, and nothing that came "
            "after it can be sealed. Look at it, and remove it"
        ) from None


Sign = Callable[[Transaction, int, bytes], str]
"""Signs a size and a root; gives the whole note."""


def seal(tx: Transaction, prepared: Prepared, sign: Sign, *, now: int) -> StoredCheckpoint | None:
    """Seal what was prepared; None where somebody else is at it, or was."""
    state = tx.log.hold()
    if state is None or state.size != prepared.size:
        return None
    tree = Growth(state.size, tx.log.tile)
    tree.extend(prepared.leaves)
    tx.log.append(prepared.rows, prepared.taken)
    tx.log.put_tiles(tree.changed())
    if prepared.use is not None:
        tx.usage.add(*prepared.use)
        tx.log.fold(tree.size)
    checkpoint = StoredCheckpoint(tree.size, now, sign(tx, tree.size, tree.root()))
    tx.log.add_checkpoint(checkpoint)
    return checkpoint


def origin_of(tx: Transaction, seed: bytes, given: str | None = None) -> str:
    """The log's name: the one it got at its beginning; now, where it has none."""
    known = tx.meta.get(LOG_ORIGIN)
    if known is None:
        known = given or f"scopekey-log/{signing_key_id(seed)}"
        tx.meta.set(LOG_ORIGIN, known)
    return known


def log_key(tx: Transaction, seed: bytes) -> VerifierKey:
    """What the log's checkpoints are verified with."""
    return verifier_key(origin_of(tx, seed), seed)
