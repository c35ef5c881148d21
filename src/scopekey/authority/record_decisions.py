"""Take decisions over from a journal into the audit log, a batch in one transaction."""

from collections.abc import Sequence

from scopekey.audit.entry import Entry, canonical
from scopekey.store.engine import Store


def record_decisions(store: Store, entries: Sequence[Entry]) -> None:
    """Write a batch. All of it is there afterwards, or none. Raises StoreUnavailableError."""
    with store.writing() as tx:
        tx.entries.append([(entry, canonical(entry)) for entry in entries])
