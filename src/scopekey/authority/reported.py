"""What report-only rules forgave: who would be refused if they were enforced, and for want of what."""

from typing import NamedTuple

import msgspec

from scopekey.authority.actor import Caller
from scopekey.authority.unit_of_work import Authority


class _Case(NamedTuple):
    operation: str
    key: str
    missing: tuple[str, ...]


class Reported(msgspec.Struct, frozen=True):
    """The calls of one key to one operation that lacked the same permissions. Times in milliseconds."""

    operation: str
    key: str
    missing: tuple[str, ...]
    count: int
    first: int
    last: int


def reported(authority: Authority, caller: Caller, *, since: int) -> tuple[Reported, ...]:
    """Count the forgiven denials since a time, the most frequent first. Each organization sees its own."""
    counted: dict[_Case, list[int]] = {}
    with authority.looking(caller, needs="scopekey_audit:read") as work:
        for entry in work.tx.entries.reported(since):
            if work.actor.operator or entry.organization == work.actor.organization:
                case = _Case(entry.operation or "", entry.key or "", tuple(entry.missing or ()))
                counted.setdefault(case, []).append(entry.at)
    found = (Reported(*case, len(times), times[0], times[-1]) for case, times in counted.items())
    return tuple(sorted(found, key=lambda one: (-one.count, one.operation, one.key)))
