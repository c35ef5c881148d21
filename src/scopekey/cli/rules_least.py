"""``scopekey rules least``: the smallest grant that opens a list of calls."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from scopekey.cli.acting import CannotActError
from scopekey.cli.output import AsJson, print_table, warn
from scopekey.cli.rules_table import CatalogFile, RulesFile, read_call, rules_table
from scopekey.core.matcher import Matcher
from scopekey.core.target import UnreadableTarget, read_target
from scopekey.insight.least import Call, Least
from scopekey.insight.least import least as least_grant

Calls = Annotated[list[str] | None, typer.Argument(metavar="CALL…", help='As in "GET /datasets/42"; - reads them.')]
CallsFile = Annotated[Path | None, typer.Option("--from", help="A file with one call a line; # begins a comment.")]


def least(
    calls: Annotated[
        list[str] | None, typer.Argument(metavar="CALL…", help='As in "GET /datasets/42"; - reads them.')
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--from", help="A file with one call a line; # begins a comment.")
    ] = None,
    rules: RulesFile = None,
    catalog: CatalogFile = None,
    as_json: AsJson = False,
) -> None:
    """Find the fewest permissions that open these calls; exits 1 where a call is open to no key."""
    table, register = rules_table(rules, catalog)
    matcher = Matcher(table, register)
    asked = [_call(matcher, text) for text in _texts(calls or [], file)]
    if not asked:
        raise CannotActError('name at least one call, as in "GET /datasets/42", or give a list with --from or -')
    answer = least_grant(table, register, asked)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_members(answer)), indent=2).decode())
    else:
        _print(answer)
    raise typer.Exit(1 if answer.closed else 0)


def _texts(calls: list[str], file: Path | None) -> Iterator[str]:
    """The calls of the command line, of the file and of standard input, without blank lines and comments."""
    lines = [call for call in calls if call != "-"]
    lines += file.read_text("utf-8").splitlines() if file else []
    lines += sys.stdin.read().splitlines() if "-" in calls else []
    return (line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _call(matcher: Matcher, text: str) -> Call:
    method, raw = read_call(text)
    target = read_target(raw)
    if isinstance(target, UnreadableTarget):
        raise CannotActError(f"{text!r} cannot be read: {target.why}")
    return Call(text, matcher.match(method, target.segments))


def _members(answer: Least) -> dict[str, object]:
    return {
        "permissions": [str(permission) for permission in answer.permissions],
        "needed_for": {str(reason.permission): list(reason.calls) for reason in answer.reasons},
        "opened_operations": answer.opened,
        "public": list(answer.public),
        "closed": list(answer.closed),
    }


def _print(answer: Least) -> None:
    rows = [(str(reason.permission), call) for reason in answer.reasons for call in reason.calls]
    print_table(("permission", "needed for"), rows)
    for call in answer.public:
        warn(f"{call} is public: it needs no key")
    for call in answer.closed:
        warn(f"{call} is open to no key: it is not listed, or closed to everybody")
    warn(f"{len(answer.reasons)} permissions; they open {answer.opened} operations")
