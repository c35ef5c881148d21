"""Give many entries of the log at once, the oldest first, for other programs."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from scopekey.authority.actor import Caller
from scopekey.authority.audit_search import READ, LogQuery, find_entries
from scopekey.authority.unit_of_work import Authority
from scopekey.insight.export_rows import COLUMNS, csv_lines, json_line, row_of
from scopekey.store.log_reader import NumberedEntry
from scopekey.wire.audit import ExportFormat

_PART = 500


def export_log(authority: Authority, caller: Caller, query: LogQuery, form: ExportFormat) -> Iterator[bytes]:
    """Write all entries that are looked for, part by part; `limit` and `cursor` of the query do not matter.

    What is refused is refused before the first part is given. Raises ProblemError, StoreUnavailableError.
    """
    parts = export_entries(authority, caller, query)
    first = next(parts)
    write = WRITERS[form]

    def written() -> Iterator[bytes]:
        yield HEADS[form] + write(first)
        for part in parts:
            yield write(part)

    return written()


def export_entries(authority: Authority, caller: Caller, query: LogQuery) -> Iterator[Sequence[NumberedEntry]]:
    """Give entries in parts, the first one even where it is empty: as far as the log reaches at the beginning."""
    wanted = msgspec.structs.replace(query, order="oldest", limit=_PART, cursor=None)
    end: int | None = None
    while True:
        # Each part is a look of its own: a long export must not hold the database, nor outlive the key it came with.
        with authority.looking(caller, needs=READ) as work:
            if end is None:
                end = work.tx.log.state().size
            found = find_entries(work, wanted)
        yield [one for one in found.entries if one.index < end]
        if not found.more or found.through >= end - 1:
            return
        wanted = msgspec.structs.replace(wanted, after=found.through)


def _json(part: Sequence[NumberedEntry]) -> bytes:
    return b"".join(json_line(one.index, one.body) for one in part)


def _csv(part: Sequence[NumberedEntry]) -> bytes:
    return csv_lines(row_of(one.index, one.entry, one.body) for one in part).encode()


WRITERS: dict[ExportFormat, Callable[[Sequence[NumberedEntry]], bytes]] = {"jsonl": _json, "csv": _csv}
HEADS: dict[ExportFormat, bytes] = {"jsonl": b"", "csv": csv_lines([COLUMNS]).encode()}
