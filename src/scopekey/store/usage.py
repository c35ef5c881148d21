"""What keys and their permissions were used for: totals, and counts by day. Added to, never set."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, select

from scopekey.store.dialect import write_rows
from scopekey.store.log_tables import usage, usage_days

_u, _d = usage.c, usage_days.c


def _sum(table: str, name: str) -> str:
    return f"{table}.{name} + excluded.{name}"


def _time(name: str, wins: str) -> str:
    """The time that `wins` (`<`, the earlier one) of the row's and the new one, either of which may be missing."""
    old, new = f"usage.{name}", f"excluded.{name}"
    return f"CASE WHEN {old} IS NULL OR {new} {wins} {old} THEN {new} ELSE {old} END"


_CHANGE_TOTAL = {
    "uses": _sum("usage", "uses"),
    "first_used": _time("first_used", "<"),
    "last_used": _time("last_used", ">"),
    "refusals": _sum("usage", "refusals"),
    "last_refused": _time("last_refused", ">"),
}
_CHANGE_DAY = {name: _sum("usage_days", name) for name in ("uses", "refusals")}
_of = select(usage).where(_u.key == bindparam("wanted")).order_by(_u.permission, _u.secret)
_days = (
    select(usage_days)
    .where(_d.key == bindparam("wanted"), _d.day >= bindparam("since"))
    .order_by(_d.permission, _d.day)
)


class UsageRow(msgspec.Struct, frozen=True):
    """The use of one permission with one secret of a key; the permission "" is the key as a whole."""

    key: str
    permission: str
    secret: int
    uses: int
    first_used: int | None
    last_used: int | None
    refusals: int
    last_refused: int | None


class DayRow(msgspec.Struct, frozen=True):
    """The use of one permission of a key on one day, counted from the epoch in UTC."""

    key: str
    permission: str
    day: int
    uses: int
    refusals: int


class Usage:
    """Use, by key."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        totals: Mapping[tuple[str, str, int], Sequence[int | None]],
        days: Mapping[tuple[str, str, int], Sequence[int]],
    ) -> None:
        """Add totals (uses, first and last use, refusals, last refusal) and counts (uses, refusals)."""
        # In the order of their primary key: two that add at once never wait for each other in a circle.
        write_rows(self._connection, usage, [(*at, *total) for at, total in sorted(totals.items())], _CHANGE_TOTAL)
        write_rows(self._connection, usage_days, [(*at, *count) for at, count in sorted(days.items())], _CHANGE_DAY)

    def of(self, key: str) -> list[UsageRow]:
        """All use of a key."""
        return [UsageRow(*row) for row in self._connection.execute(_of, {"wanted": key})]

    def days(self, key: str, since: int) -> list[DayRow]:
        """The use of a key by day, from a day on."""
        return [DayRow(*row) for row in self._connection.execute(_days, {"wanted": key, "since": since})]
