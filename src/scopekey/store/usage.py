"""What keys and their permissions were used for: totals, and counts by day. Added to, never set."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, case, func, select
from sqlalchemy.sql.elements import ColumnElement

from scopekey.store.dialect import upsert
from scopekey.store.log_tables import usage, usage_days

_u, _d = usage.c, usage_days.c


def _later(column: Any, other: Any) -> ColumnElement[Any]:
    return case((column.is_(None), other), (other > column, other), else_=column)


def _earlier(column: Any, other: Any) -> ColumnElement[Any]:
    return case((column.is_(None), other), (other < column, other), else_=column)


_of = select(usage).where(_u.key == bindparam("wanted")).order_by(_u.permission, _u.secret)
_days = (
    select(usage_days)
    .where(_d.key == bindparam("wanted"), _d.day >= bindparam("since"))
    .order_by(_d.permission, _d.day)
)
_last = (
    select(_u.key, func.max(_u.last_used).label("last_used"))
    .where(_u.key.in_(bindparam("wanted", expanding=True)), _u.permission == "")
    .group_by(_u.key)
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
        upsert(
            self._connection,
            usage,
            [(*place, *total) for place, total in sorted(totals.items())],
            lambda new: {
                "uses": _u.uses + new.uses,
                "first_used": _earlier(_u.first_used, new.first_used),
                "last_used": _later(_u.last_used, new.last_used),
                "refusals": _u.refusals + new.refusals,
                "last_refused": _later(_u.last_refused, new.last_refused),
            },
        )
        upsert(
            self._connection,
            usage_days,
            [(*place, *count) for place, count in sorted(days.items())],
            lambda new: {"uses": _d.uses + new.uses, "refusals": _d.refusals + new.refusals},
        )

    def of(self, key: str) -> list[UsageRow]:
        """All use of a key."""
        return [UsageRow(*row) for row in self._connection.execute(_of, {"wanted": key})]

    def days(self, key: str, since: int) -> list[DayRow]:
        """The use of a key by day, from a day on."""
        return [DayRow(*row) for row in self._connection.execute(_days, {"wanted": key, "since": since})]

    def last_used(self, keys: Collection[str]) -> dict[str, int]:
        """When keys were last used, those that ever were."""
        rows = self._connection.execute(_last, {"wanted": list(keys)})
        return {row.key: row.last_used for row in rows if row.last_used is not None}
