"""What a key was used for: each of its permissions, each of its secrets, by day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from scopekey.authority.actor import Caller
from scopekey.authority.find_key import find_key
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.grant import Register
from scopekey.insight.use import DAY, WHOLE_KEY
from scopekey.store.keys import KeyRow
from scopekey.store.usage import DayRow, UsageRow
from scopekey.wire.times import from_millis
from scopekey.wire.usage import DayUse, PermissionUse, SecretShare, SecretUse, UsageAnswer

LOOK = "scopekey_usage:read"
DAYS = 90
MOST_DAYS = 400
_EPOCH = date(1970, 1, 1)
_Row = TypeVar("_Row", UsageRow, DayRow)


class _Use(NamedTuple):
    """What is known of a key: its use by permission, and its counts by permission and day."""

    row: KeyRow
    totals: dict[str, list[UsageRow]]
    counts: dict[str, list[DayRow]]

    def told(self, name: str) -> dict[str, Any]:
        """The use of one permission with all secrets, as answers tell it."""
        totals = self.totals.get(name, [])
        return {
            "uses": sum(total.uses for total in totals),
            "first_used": _time(_known(min, (total.first_used for total in totals))),
            "last_used": _time(_known(max, (total.last_used for total in totals))),
            "refusals": sum(total.refusals for total in totals),
            "last_refused": _time(_known(max, (total.last_refused for total in totals))),
            "days": [
                DayUse(day=_EPOCH + timedelta(days=count.day), uses=count.uses, refusals=count.refusals)
                for count in self.counts.get(name, [])
            ],
        }

    def used(self, name: str) -> bool:
        """Tell whether a permission was ever used."""
        return any(total.uses for total in self.totals.get(name, []))


def key_usage(authority: Authority, caller: Caller, key_id: str, *, days: int = DAYS) -> UsageAnswer:
    """Tell the use of a key, and its counts of the last so many days. Raises ProblemError `not_found`."""
    with authority.looking(caller, needs=LOOK) as work:
        row, _ = find_key(work, key_id)
        totals = work.tx.usage.of(row.key.id)
        counts = work.tx.usage.days(row.key.id, work.now // DAY - days + 1)
        return _answer(work, _Use(row, _by_permission(totals), _by_permission(counts)))


def _answer(work: UnitOfWork, use: _Use) -> UsageAnswer:
    newest = work.tx.log.sealed_at(work.tx.log.state().folded)
    held = work.register.names(use.row.key.held(work.now))
    brings = {name: _brings(work.register, name) for name in held}
    names = sorted({*held, *use.totals} - {WHOLE_KEY})
    return UsageAnswer(
        key=use.row.key.id,
        through=_time(newest),
        **use.told(WHOLE_KEY),
        secrets=_secrets(use, work.now),
        unused=[name for name in sorted(held) if not any(map(use.used, {name, *brings[name].difference(held)}))],
        permissions=[
            _permission(work.register, use, name, [holder for holder in held if name in brings[holder]], held)
            for name in names
        ],
    )


def _brings(register: Register, name: str) -> frozenset[str]:
    """What a permission brings along, by the catalog's `implies`."""
    return frozenset(register.names(register.effective(1 << register.bits[name]))) - {name}


def _permission(register: Register, use: _Use, name: str, implied_by: list[str], held: Sequence[str]) -> PermissionUse:
    granted = use.row.granted_at.get(register.bits[name], use.row.key.created) if name in held else None
    return PermissionUse(
        permission=name,
        held=name in held,
        implied_by=implied_by,
        granted_at=_time(granted),
        **use.told(name),
        secrets=[
            SecretShare(number=total.secret, uses=total.uses, last_used=_time(total.last_used))
            for total in use.totals.get(name, [])
            if total.uses
        ],
    )


def _secrets(use: _Use, now: int) -> list[SecretUse]:
    """Those of the key now, and those that were used before."""
    used = {total.secret: total for total in use.totals.get(WHOLE_KEY, [])}
    known = {secret.number: secret for secret in use.row.key.secrets}
    live = {number for number, secret in known.items() if secret.until is None or secret.until > now}
    return [
        SecretUse(
            number=number,
            created_at=_time(use.row.secret_created.get(number, use.row.key.created)) if number in known else None,
            until=_time(known[number].until) if number in known else None,
            live=number in live,
            uses=used[number].uses if number in used else 0,
            first_used=_time(used[number].first_used) if number in used else None,
            last_used=_time(used[number].last_used) if number in used else None,
        )
        for number in sorted(live | used.keys())
    ]


def _by_permission(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row.permission].append(row)
    return dict(found)


def _known(choose: Any, times: Iterable[int | None]) -> int | None:
    """The first or the last of some times, leaving out what never happened."""
    chosen: int | None = choose((at for at in times if at is not None), default=None)
    return chosen


def _time(at: int | None) -> datetime | None:
    return None if at is None else from_millis(at)
