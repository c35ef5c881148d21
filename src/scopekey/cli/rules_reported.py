"""``scopekey rules reported``: what report-only rules forgave, counted."""

from typing import Annotated

import msgspec
import typer

from scopekey.cli.acting import caller, home
from scopekey.cli.output import AsJson, Local, print_table, warn, when
from scopekey.wire.times import from_millis, parse_duration


def reported(
    since: Annotated[str, typer.Option(help="How far to look back: 7d, 24h.")] = "7d",
    as_json: AsJson = False,
    local: Local = False,
) -> None:
    """List the calls that report-only rules let through although a permission was missing."""
    from scopekey.authority.reported import reported as count_reported

    with home(local=local) as node:
        node.seal_last()
        begin = node.authority.clock() - parse_duration(since)
        found = count_reported(node.authority, caller(node, local=local), since=begin)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    rows = [
        (str(one.count), one.operation, one.key, ", ".join(one.missing), when(from_millis(one.last))) for one in found
    ]
    print_table(("calls", "operation", "key", "missing", "last"), rows)
    total = sum(one.count for one in found)
    warn(f"{total} calls would have been refused; enforcing would touch {len({one.key for one in found})} keys.")
