"""``scopekey keys usage``: what a key and each of its permissions were used for."""

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from scopekey.cli.acting import management
from scopekey.cli.output import AsJson, Local, print_json, print_table, warn, when
from scopekey.wire.usage import DayUse, UsageAnswer

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
    today = datetime.now(UTC).date()
    people = sys.stdout.isatty()
    rows = [
        (
            *(one.permission, when(one.last_used), f"{one.uses:,}" if people else str(one.uses)),
            f"{one.refusals:,}" if people else str(one.refusals),
            *((chart(one.days, today, days),) if people else ()),
            "" if one.held and one.uses else "unused" if one.held else "no longer held",
        )
        for one in found.permissions
    ]
    heading = ("permission", "last used", "uses", "refusals", *((f"{days} days",) if people else ()), "")
    print_table(heading, rows)
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


def _tell(found: UsageAnswer) -> None:
    through = f"counted through {when(found.through)}" if found.through else "nothing was counted yet"
    warn(f"{found.uses:,} calls, {found.refusals:,} refused; {through}.")
    live = [secret for secret in found.secrets if secret.live]
    for secret in live:
        warn(f"Secret {secret.number}: {secret.uses:,} calls, last used {when(secret.last_used)}.")
    if len(live) > 1:
        old, new = live[0], live[-1]
        quiet = old.last_used is None or (new.first_used is not None and old.last_used < new.first_used)
        if quiet and new.uses:
            warn(f"Since secret {new.number} is in use, secret {old.number} was not used: nothing breaks when it ends.")
