"""What permissions are used for, folded from the entries of the log: no request writes anything for it.

An allowed decision is a use of each permission of the alternative that was met, which is the first
satisfied one in the order of the rule. A refusal is one of each permission that was missing. Both also
count for the key as a whole, under the empty name.
"""

from collections.abc import Iterable
from typing import NamedTuple

from scopekey.audit.entry import Entry

DAY = 86_400_000
"""A day in milliseconds; days are counted from the epoch, in UTC."""
WHOLE_KEY = ""
"""Stands for the key itself where a permission's name would stand."""

Total = list[int | None]
"""Uses, first use, last use, refusals, last refusal; times in milliseconds since the epoch."""
Count = list[int]
"""Uses and refusals."""


class Folded(NamedTuple):
    """What entries add: totals by key, permission and number of the secret; counts by key, permission and day."""

    totals: dict[tuple[str, str, int], Total]
    days: dict[tuple[str, str, int], Count]


def fold(entries: Iterable[Entry]) -> Folded:
    """Fold the decisions about genuine keys among some entries; everything else adds nothing.

    A call that a rule forgave because it only reports is a use of the key, and a refusal of what was missing.
    """
    totals: dict[tuple[str, str, int], Total] = {}
    days: dict[tuple[str, str, int], Count] = {}
    for entry in entries:
        key = entry.key
        if key is None or entry.allowed is None:
            continue
        at, day, secret = entry.at, entry.at // DAY, entry.secret or 0
        count, first = (entry.count or 1, entry.first or at) if entry.kind == "reads" else (1, at)
        went_on = entry.allowed or entry.report
        for permission in (WHOLE_KEY, *(entry.used or ())) if entry.allowed else (WHOLE_KEY,) if went_on else ():
            total = totals.get((key, permission, secret))
            if total is None:
                totals[key, permission, secret] = [count, first, at, 0, None]
            else:
                total[0] += count  # type: ignore[operator]
                if total[2] is None or total[2] < at:
                    total[2] = at
                if total[1] is None or total[1] > first:
                    total[1] = first
            counts = days.get((key, permission, day))
            if counts is None:
                days[key, permission, day] = [count, 0]
            else:
                counts[0] += count
        if entry.allowed:
            continue
        for permission in entry.missing or () if went_on else (WHOLE_KEY, *(entry.missing or ())):
            total = totals.setdefault((key, permission, secret), [0, None, None, 0, None])
            total[3] += 1  # type: ignore[operator]
            if total[4] is None or total[4] < at:
                total[4] = at
            days.setdefault((key, permission, day), [0, 0])[1] += 1
    return Folded(totals, days)
