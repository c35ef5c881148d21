"""The log is read: one entry by its place, many by what they say. Nothing here changes anything.

A search walks along one index, the most telling one that was asked for, and stops after so many rows
whatever it found: no search holds the database for longer than a moment, and another one goes on.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, select

from scopekey.audit.entry import Entry, read_entry
from scopekey.store.errors import StoreUnavailableError
from scopekey.store.log_tables import entries

LOOK_AT_MOST = 20_000
"""How many rows one search looks at."""
READ_AT_MOST = 10_000
"""How many where their entries have to be read."""
_CHUNK = 500

_c = entries.c
_entry = select(_c.log_index, _c.body).where(_c.log_index == bindparam("wanted"))
_some = select(_c.log_index, _c.body).where(_c.log_index.in_(bindparam("wanted", expanding=True)))
_GOOD = ("allowed", "reported")
_written = msgspec.json.encode


class NumberedEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry of the log: its index, itself, and the canonical bytes that were hashed."""

    index: int
    entry: Entry
    body: bytes


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries to look for; what is None does not matter. Times in milliseconds since the epoch.

    `decision` is allowed, refused, reported, or the code of a refusal. An entry is about a `permission`
    where it was required, used or missing; `level` and `group` are those of one pair of what was intended;
    `actor` is the id of who acted. `since` is the first moment that counts, `until` the first that no longer does.
    """

    organization: str | None = None
    key: str | None = None
    request_id: str | None = None
    kind: str | None = None
    action: str | None = None
    operation: str | None = None
    decision: str | None = None
    since: int | None = None
    until: int | None = None
    actor: str | None = None
    permission: str | None = None
    level: str | None = None
    group: str | None = None


class Found(NamedTuple):
    """What one search found: it looked at all up to the index `through`; `more` tells whether more may follow."""

    entries: list[NumberedEntry]
    through: int
    more: bool


class LogReader:
    """Entries that have their place in the log."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entry(self, index: int) -> NumberedEntry | None:
        """Find an entry; None where it is not in the table. Raises StoreUnavailableError where it is damaged."""
        row = self._connection.execute(_entry, {"wanted": index}).first()
        return None if row is None else _numbered(row.log_index, row.body)

    def rows(self, after: int, most: int) -> list[tuple[Any, ...]]:
        """The rows that follow an index, as the driver gives them: their columns in the order of the table."""
        asked = select(*entries.c).where(_c.log_index > after).order_by(_c.log_index).limit(most)
        plain = asked.compile(self._connection, compile_kwargs={"literal_binds": True})
        # Past SQLAlchemy's own rows: a verification reads every one there is.
        return cast("list[tuple[Any, ...]]", self._connection.exec_driver_sql(str(plain)).cursor.fetchall())

    def search(self, wanted: EntryFilter, *, after: int, before: int, most: int, oldest: bool = False) -> Found:
        """Find entries with an index between two, both left out: at most so many, the newest first, or the oldest.

        Looks at no more than `LOOK_AT_MOST` rows, so that it may find few, or nothing, and there is more.
        """
        bounds = {"after": after, "before": before}
        candidates = self._candidates(wanted, bounds, most + 1, oldest=oldest)
        taken: list[NumberedEntry] = []
        for found in self._matching(wanted, candidates):
            if len(taken) == most:
                return Found(taken, taken[-1].index, more=True)
            taken.append(found)
        last = self._last_looked_at(wanted, bounds, oldest=oldest)
        if last is not None:
            return Found(taken, last, more=True)
        return Found(taken, before - 1 if oldest else after + 1, more=False)

    def _candidates(self, wanted: EntryFilter, bounds: dict[str, int], most: int, *, oldest: bool) -> Sequence[int]:
        """The indexes of the entries of which all is right that stands in a column."""
        leading = _leading(wanted)
        window = select(*_COLUMNS).where(leading.condition, _BETWEEN).order_by(_order(_c, oldest=oldest))
        looked = window.limit(_looks_at(wanted)).subquery()
        conditions = _conditions(looked.c, wanted, leading.name)
        if conditions:
            statement = select(looked.c.log_index).where(*conditions).order_by(_order(looked.c, oldest=oldest))
        else:
            # The order of the index alone: nothing has to be looked at that is not found.
            statement = window.with_only_columns(_c.log_index).limit(_looks_at(wanted))
        if not _needles(wanted):
            statement = statement.limit(most)
        return self._connection.execute(statement, bounds).scalars().all()

    def _last_looked_at(self, wanted: EntryFilter, bounds: dict[str, int], *, oldest: bool) -> int | None:
        """The last row that a search looks at where there are more than it looks at; None where it saw all."""
        window = select(_c.log_index).where(_leading(wanted).condition, _BETWEEN).order_by(_order(_c, oldest=oldest))
        last: int | None = self._connection.execute(window.offset(_looks_at(wanted) - 1).limit(1), bounds).scalar()
        return last

    def _matching(self, wanted: EntryFilter, candidates: Sequence[int]) -> Iterator[NumberedEntry]:
        needles = _needles(wanted)
        for start in range(0, len(candidates), _CHUNK):
            chunk = candidates[start : start + _CHUNK]
            rows = {row.log_index: row.body for row in self._connection.execute(_some, {"wanted": chunk})}
            for index in chunk:
                body = rows[index]
                # Most of what is looked for in vain is not even decoded.
                if not isinstance(body, bytes) or all(needle in body for needle in needles):
                    numbered = _numbered(index, body)
                    if _is_about(numbered.entry, wanted):
                        yield numbered


class _Leading(NamedTuple):
    name: str | None
    condition: ColumnElement[bool]


_COLUMNS = [column for column in entries.c if column.name != "body"]
_BETWEEN = (_c.log_index > bindparam("after")) & (_c.log_index < bindparam("before"))
# The first of them that is asked for has an index, in which the rows stand in the order of the log.
_INDEXED = ("request_id", "key", "organization")
_EQUAL = ("request_id", "key", "organization", "kind", "action", "operation")


def _leading(wanted: EntryFilter) -> _Leading:
    for name in _INDEXED:
        value = getattr(wanted, name)
        if value is not None:
            return _Leading(name, _c[name] == value)
    return _Leading(None, _c.log_index >= 0)


def _conditions(columns: Any, wanted: EntryFilter, leading: str | None) -> list[ColumnElement[bool]]:
    asked = {name: getattr(wanted, name) for name in _EQUAL if name != leading}
    found: list[ColumnElement[bool]] = [columns[name] == value for name, value in asked.items() if value is not None]
    if wanted.since is not None:
        found.append(columns.at >= wanted.since)
    if wanted.until is not None:
        found.append(columns.at < wanted.until)
    if wanted.decision == "refused":
        found.append(columns.outcome.not_in(_GOOD))
    elif wanted.decision is not None:
        found.append(columns.outcome == wanted.decision)
    return found


def _order(columns: Any, *, oldest: bool) -> ColumnElement[Any]:
    index: ColumnElement[Any] = columns.log_index
    return index.asc() if oldest else index.desc()


def _looks_at(wanted: EntryFilter) -> int:
    return min(READ_AT_MOST, LOOK_AT_MOST) if _needles(wanted) else LOOK_AT_MOST


def _needles(wanted: EntryFilter) -> list[bytes]:
    """What stands in the canonical bytes of every entry that is looked for, of what stands in no column."""
    found = []
    if wanted.actor is not None:
        found.append(b'"id":' + _written(wanted.actor))
    if wanted.permission is not None:
        found.append(_written(wanted.permission))
    if wanted.level is not None:
        found.append(b"[" + _written(wanted.level) + b",")
    if wanted.group is not None:
        found.append(b"," + _written(wanted.group) + b"]")
    return found


def _is_about(entry: Entry, wanted: EntryFilter) -> bool:
    if wanted.actor is not None and (entry.actor is None or entry.actor.id != wanted.actor):
        return False
    if wanted.permission is not None and wanted.permission not in _permissions(entry):
        return False
    if wanted.level is None and wanted.group is None:
        return True
    # Of each pair both, where both are asked for: to write one thing and read another is not to write both.
    return any(wanted.level in {None, level} and wanted.group in {None, group} for level, group in entry.intended or ())


def _permissions(entry: Entry) -> set[str]:
    alternatives = entry.required or ()
    return {
        *(name for alternative in alternatives for name in alternative),
        *(entry.used or ()),
        *(entry.missing or ()),
    }


def _numbered(index: int, body: Any) -> NumberedEntry:
    try:
        encoded = bytes(body)
        return NumberedEntry(index, read_entry(encoded), encoded)
    except (TypeError, UnicodeDecodeError, msgspec.MsgspecError):
        raise StoreUnavailableError(
            f"the entry {index} of the log is damaged and cannot be read: run `scopekey audit verify`"
        ) from None
