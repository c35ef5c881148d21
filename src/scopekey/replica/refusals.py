"""Refusals without a genuine key, counted: garbage must not be able to fill the journal.

Counted per minute, code and source network (/24 of IPv4, /48 of IPv6); the first ones of each are
told in full. Both have bounded space of their own.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, ip_network

import msgspec

from scopekey.core.decision import Denied
from scopekey.core.network import parse_address
from scopekey.replica.event import Event

MINUTE = 60_000
ELSEWHERE = "elsewhere"
"""Stands for the network where it is not known, or where too many were counted in one minute."""


class Cell(msgspec.Struct, frozen=True, gc=False):
    """What is counted together. `minute` is its start, in milliseconds since the epoch."""

    minute: int
    code: str
    network: str


class RefusalCounts:
    """The counts of the minutes that are not handed over yet.

    `in_full` is how many refusals of a cell are told in full; at most `cells` cells are kept apart.
    """

    def __init__(self, *, in_full: int = 10, cells: int = 10_000) -> None:
        self._counts: Counter[Cell] = Counter()
        self._in_full = in_full
        self._cells = cells

    def count(self, event: Event) -> bool:
        """Count a refusal, and tell whether it is to be told in full."""
        if not isinstance(event.decision, Denied):
            return False
        minute, code = event.at - event.at % MINUTE, event.decision.reason.value
        cell = Cell(minute, code, network_of(event.address))
        if cell not in self._counts and len(self._counts) >= self._cells:
            cell = Cell(minute, code, ELSEWHERE)
        self._counts[cell] += 1
        return cell.network != ELSEWHERE and self._counts[cell] <= self._in_full

    def ended(self, now: int | None) -> Iterator[tuple[Cell, int]]:
        """Hand over the counts of the minutes that ended before `now`; of all with None."""
        for cell in [cell for cell in self._counts if now is None or cell.minute + MINUTE <= now]:
            yield cell, self._counts.pop(cell)

    def __bool__(self) -> bool:
        return bool(self._counts)


@lru_cache(maxsize=4096)
def network_of(address: str | None) -> str:
    """The network an address counts for: its /24 or /48."""
    parsed = parse_address(address) if address else None
    if parsed is None:
        return ELSEWHERE
    return str(ip_network((parsed, 24 if isinstance(parsed, IPv4Address) else 48), strict=False))
