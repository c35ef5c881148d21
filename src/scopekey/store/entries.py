"""Audit entries, as their canonical bytes: those that arrived, and those that the log has numbered."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, insert, select

from scopekey.audit.entry import Entry, read_entry
from scopekey.store.log_tables import arrivals, entries

_c = entries.c
# Inline: the numbers given to rows are not asked back.
_insert = insert(arrivals).inline()
_reported = select(_c.body).where(_c.outcome == "reported", _c.at >= bindparam("since")).order_by(_c.at, _c.log_index)
_arrived = select(arrivals.c.body).order_by(arrivals.c.id.desc()).limit(bindparam("most"))
_newest = select(_c.log_index, _c.body).order_by(_c.log_index.desc()).limit(bindparam("most"))


class StoredEntry(msgspec.Struct, frozen=True):
    """An entry with its bytes; `log_index` is its place in the log, None until it has one."""

    entry: Entry
    body: bytes
    log_index: int | None


class Entries:
    """Entries are added, never changed."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, bodies: Sequence[bytes]) -> None:
        """Add entries, as their canonical bytes. The log numbers them, in its own time."""
        if bodies:
            self._connection.execute(_insert, [{"body": body} for body in bodies])

    def reported(self, since: int) -> Iterator[Entry]:
        """List the denials since a time that a report-only rule forgave and the log has numbered, the oldest first."""
        for row in self._connection.execute(_reported, {"since": since}):
            yield read_entry(row.body)

    def newest(self, limit: int) -> list[StoredEntry]:
        """List the last entries, the newest first: those that only arrived, then those of the log."""
        waiting = self._connection.execute(_arrived, {"most": limit})
        found = [StoredEntry(read_entry(row.body), row.body, None) for row in waiting]
        if len(found) < limit:
            numbered = self._connection.execute(_newest, {"most": limit - len(found)})
            found += [StoredEntry(read_entry(row.body), row.body, row.log_index) for row in numbered]
        return found
