"""What a sealed entry is searched by: the columns beside its body, which say nothing that the body does not say."""

from scopekey.audit.entry import Entry
from scopekey.store.entries import outcome

Columns = tuple[int, str, str | None, str | None, str | None, str | None, str | None, str | None, bytes]
"""at, kind, organization, key, action, operation, request_id, outcome, body: as the table has them, after log_index."""


def columns_of(entry: Entry, body: bytes) -> Columns:
    """Give an entry's row without its number, in the order of the table's columns."""
    return (
        entry.at,
        entry.kind,
        entry.organization,
        entry.key,
        entry.action,
        entry.operation,
        entry.request_id,
        outcome(entry),
        body,
    )
