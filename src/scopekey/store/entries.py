"""Audit entries, as their canonical bytes. The log numbers and seals them later, in its own time."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, insert, select

from scopekey.audit.entry import Entry, read_entry
from scopekey.store.tables import entries

_c = entries.c
# Inline: the numbers given to rows are not asked back.
_insert = insert(entries).inline()
_reported = select(_c.body).where(_c.outcome == "reported", _c.at >= bindparam("since")).order_by(_c.at, _c.id)
_newest = select(_c.id, _c.body, _c.log_index).order_by(_c.id.desc()).limit(bindparam("most"))


class StoredEntry(msgspec.Struct, frozen=True):
    """An entry with its bytes; `log_index` is its place in the log, None until it has one."""

    id: int
    entry: Entry
    body: bytes
    log_index: int | None


class Entries:
    """Entries are added, never changed."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, batch: Sequence[tuple[Entry, bytes]]) -> None:
        """Add entries, each with its canonical bytes."""
        rows = [
            {
                "at": entry.at,
                "kind": entry.kind,
                "organization": entry.organization,
                "key": entry.key,
                "action": entry.action,
                "request_id": entry.request_id,
                "outcome": outcome(entry),
                "body": body,
            }
            for entry, body in batch
        ]
        if rows:
            self._connection.execute(_insert, rows)

    def reported(self, since: int) -> Iterator[Entry]:
        """List the denials since a time that a report-only rule forgave, the oldest first."""
        for row in self._connection.execute(_reported, {"since": since}):
            yield read_entry(row.body)

    def newest(self, limit: int) -> list[StoredEntry]:
        """List the last entries that were added, the newest first."""
        rows = self._connection.execute(_newest, {"most": limit})
        return [StoredEntry(row.id, read_entry(row.body), row.body, row.log_index) for row in rows]


def outcome(entry: Entry) -> str | None:
    """How a decision ended in one word: `allowed`, `reported`, or the code of its refusal; None for a change."""
    if entry.kind != "decision":
        return None
    if entry.report:
        return "reported"
    return "allowed" if entry.allowed else entry.code
