"""``scopekey keys usage``: what a key and each of its permissions were used for."""

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from scopekey.cli.acting import management
from scopekey.cli.output import AsJson, Local, print_json, print_table, warn, when
from scopekey.wire.usage import DayUse, PermissionUse, SecretUse, UsageAnswer

_BLOCKS = " ▁▂▃▄▅▆▇█"
_COLUMNS = 30
"""How wide the chart is: each column stands for as many days as it takes."""


def usage(
    key_id: Annotated[str, typer.Argument(metavar="key_…", help="The key's id.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days are looked back on.")] = 90,
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """Show what a key was used for: each permission, by day, and which of its secrets."""
    with management(local=local) as manage:
        found = manage.key_usage(key_id, days=days)
    if as_json:
        print_json(found)
        return
    if sys.stdout.isatty():
        today = datetime.now(UTC).date()
        print_table(
            ("permission", "last used", "uses", "refusals", "1 day" if days == 1 else f"{days} days", ""),
            [
                (
                    *(one.permission, when(one.last_used), f"{one.uses:,}", f"{one.refusals:,}"),
                    *(chart(one.days, today, days), remark(one, found)),
                )
                for one in found.permissions
            ],
        )
    else:
        print_table(
            (),
            [
                (one.permission, when(one.last_used), str(one.uses), str(one.refusals), remark(one, found))
                for one in found.permissions
            ],
        )
    _tell(found)


def chart(counts: Sequence[DayUse], today: date, days: int) -> str:
    """Draw uses by day, the newest at the right; one column for each day, or for several."""
    columns = min(days, _COLUMNS)
    sums = [0] * columns
    begin = today - timedelta(days=days - 1)
    for count in counts:
        at = (count.day - begin).days
        if 0 <= at < days:
            sums[at * columns // days] += count.uses
    most = max(sums)
    return "".join(_BLOCKS[-(-8 * one // most)] if most else " " for one in sums).rstrip() or "-"


def remark(one: PermissionUse, found: UsageAnswer) -> str:
    """What is to be known of a permission beside its use."""
    if one.permission in found.unused:
        return "unused"
    if one.held:
        return "" if one.uses else "used through what it implies"
    if one.implied_by:
        return f"comes with {', '.join(one.implied_by)}"
    return "no longer held" if one.uses else "not held"


def _tell(found: UsageAnswer) -> None:
    live = [secret for secret in found.secrets if secret.live]
    for secret in live:
        until = f", ends {when(secret.until)}" if secret.until else ""
        warn(f"Secret {secret.number}: {_count(secret.uses, 'call')}, last used {when(secret.last_used)}{until}.")
    if len(live) > 1:
        _tell_rotation(live[0], live[-1], found.through)
    if found.unused and found.through:
        held = sum(one.held for one in found.permissions)
        warn(
            f"{len(found.unused)} of the {_count(held, 'permission')} that it holds {_was(found.unused)} never used; "
            f"`scopekey keys edit {found.key} --remove …` takes away what it does not need."
        )
    through = f"counted up to {when(found.through)}" if found.through else "nothing was counted yet"
    warn(f"{_count(found.uses, 'call')}, {found.refusals:,} refused; {through}.")


def _tell_rotation(old: SecretUse, new: SecretUse, through: datetime | None) -> None:
    if through is None or new.created_at is None or through < new.created_at:
        return
    if old.last_used is None or old.last_used < new.created_at:
        warn(f"Secret {old.number} was not used since secret {new.number} was made: it can be ended.")
    else:
        warn(
            f"Secret {old.number} was used since secret {new.number} was made: whoever has it still needs the new one."
        )


def _was(names: Sequence[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
