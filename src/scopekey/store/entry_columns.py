"""The columns an entry is searched by: what its body says, once more where an index can find it."""

from typing import Any

from scopekey.audit.entry import Entry


def columns_of(entry: Entry, body: bytes) -> tuple[Any, ...]:
    """What stands in a row beside the entry's place in the log, in the order of the table's columns."""
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


def outcome(entry: Entry) -> str | None:
    """How a decision ended in one word: `allowed`, `reported`, or the code of its refusal; None for what is none."""
    if entry.allowed is None:
        return None
    if entry.report:
        return "reported"
    return "allowed" if entry.allowed else entry.code
