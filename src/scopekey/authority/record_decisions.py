"""Take decisions over from a journal of this process into the audit log."""

import os
from collections.abc import Callable, Sequence

from scopekey.audit.entry import NONCE_SIZE, Entry, canonical
from scopekey.replica.batch import Batch, NeverError
from scopekey.replica.event import entry_of
from scopekey.replica.refusals import refusals_entry
from scopekey.store.engine import Store
from scopekey.store.tables import check_text

AT_ONCE = 125
AT_ONCE_BYTES = 512 * 1024
"""How much one transaction writes: the write lock of a SQLite file is not to be held for longer than a moment."""

Written = tuple[Entry, bytes]
"""An entry with its canonical bytes."""


def record_decisions(store: Store, batch: Batch, *, random: Callable[[int], bytes] = os.urandom) -> int:
    """Write as much of a batch as one transaction takes; gives how many records.

    Raises StoreUnavailableError, and NeverError where a decision has no canonical bytes: then none is written.
    """
    decided = [_written(entry_of(event, random(NONCE_SIZE))) for event in batch.events[:AT_ONCE]]
    never = [at for at, written in enumerate(decided) if written is None]
    if never:
        raise NeverError(never)
    counts = batch.counts[: AT_ONCE - len(decided)]
    counted = [_written(refusals_entry(cell, count, random(NONCE_SIZE))) for cell, count in counts]
    entries = at_once([written for written in (*decided, *counted) if written is not None])
    with store.writing() as tx:
        tx.entries.append(entries)
    return len(entries)


def at_once(entries: Sequence[Written]) -> list[Written]:
    """The first entries, as many as one transaction writes: always one at least."""
    taken: list[Written] = []
    size = 0
    for entry, body in entries[:AT_ONCE]:
        size += len(body)
        if taken and size > AT_ONCE_BYTES:
            break
        taken.append((entry, body))
    return taken


def _written(entry: Entry) -> Written | None:
    try:
        check_text(entry.request_id or "")
        return entry, canonical(entry)
    except ValueError:
        return None
