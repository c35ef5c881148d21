"""What a key was used for: each of its permissions, each of its secrets, by day."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from scopekey.authority.actor import Caller
from scopekey.authority.find_key import find_key
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.insight.use import DAY, WHOLE_KEY
from scopekey.store.keys import KeyRow
from scopekey.store.usage import DayRow, UsageRow
from scopekey.wire.times import from_millis
from scopekey.wire.usage import DayUse, PermissionUse, SecretUse, UsageAnswer

LOOK = "scopekey_usage:read"
DAYS = 90
MOST_DAYS = 400
_EPOCH = date(1970, 1, 1)


def key_usage(authority: Authority, caller: Caller, key_id: str, *, days: int = DAYS) -> UsageAnswer:
    """Tell the use of a key, and its counts of the last so many days. Raises ProblemError `not_found`."""
    with authority.looking(caller, needs=LOOK) as work:
        row, _ = find_key(work, key_id)
        totals = work.tx.usage.of(row.key.id)
        counts = work.tx.usage.days(row.key.id, work.now // DAY - days + 1)
        return _answer(work, row, totals, counts)


def _answer(work: UnitOfWork, row: KeyRow, totals: Sequence[UsageRow], counts: Sequence[DayRow]) -> UsageAnswer:
    newest = work.tx.log.sealed_at(work.tx.log.state().folded)
    held = work.register.names(row.key.held(work.now))
    names = sorted({*held, *(total.permission for total in totals)} - {WHOLE_KEY})
    whole = _sum(WHOLE_KEY, totals)
    return UsageAnswer(
        key=row.key.id,
        through=None if newest is None else from_millis(newest),
        uses=whole.uses,
        first_used=_time(whole.first_used),
        last_used=_time(whole.last_used),
        refusals=whole.refusals,
        last_refused=_time(whole.last_refused),
        days=_days(WHOLE_KEY, counts),
        secrets=_secrets(work, row, totals),
        permissions=[_permission(work, row, name, totals, counts, held=name in held) for name in names],
    )


def _permission(
    work: UnitOfWork, row: KeyRow, name: str, totals: Iterable[UsageRow], counts: Iterable[DayRow], *, held: bool
) -> PermissionUse:
    total = _sum(name, totals)
    bit = work.register.bits.get(name)
    granted = row.granted_at.get(bit, row.key.created) if held and bit is not None else None
    return PermissionUse(
        permission=name,
        held=held,
        granted_at=_time(granted),
        uses=total.uses,
        first_used=_time(total.first_used),
        last_used=_time(total.last_used),
        refusals=total.refusals,
        last_refused=_time(total.last_refused),
        days=_days(name, counts),
    )


def _sum(name: str, totals: Iterable[UsageRow]) -> UsageRow:
    """The use of one permission with all secrets of the key."""
    found = [total for total in totals if total.permission == name]
    return UsageRow(
        "",
        name,
        0,
        sum(total.uses for total in found),
        min((total.first_used for total in found if total.first_used is not None), default=None),
        max((total.last_used for total in found if total.last_used is not None), default=None),
        sum(total.refusals for total in found),
        max((total.last_refused for total in found if total.last_refused is not None), default=None),
    )


def _days(name: str, counts: Iterable[DayRow]) -> list[DayUse]:
    return [
        DayUse(day=_EPOCH + timedelta(days=count.day), uses=count.uses, refusals=count.refusals)
        for count in counts
        if count.permission == name
    ]


def _secrets(work: UnitOfWork, row: KeyRow, totals: Iterable[UsageRow]) -> list[SecretUse]:
    """Those of the key now, and those that were used before."""
    used = {total.secret: total for total in totals if total.permission == WHOLE_KEY}
    live = {secret.number for secret in row.key.secrets if secret.until is None or secret.until > work.now}
    return [
        SecretUse(
            number=number,
            uses=used[number].uses if number in used else 0,
            first_used=_time(used[number].first_used) if number in used else None,
            last_used=_time(used[number].last_used) if number in used else None,
            live=number in live,
        )
        for number in sorted(live | used.keys())
    ]


def _time(at: int | None) -> datetime | None:
    return None if at is None else from_millis(at)
