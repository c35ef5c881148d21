"""``scopekey audit search`` and ``tail``: look for entries, and watch them come."""

import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer
from rich.text import Text

from scopekey.cli.audit_log import AuditLog, audit_log
from scopekey.cli.audit_text import HEADINGS, fields_of, json_of
from scopekey.cli.output import Local, console, print_table, warn
from scopekey.client.audit_source import size_of as checkpoint_size
from scopekey.client.calls import ENTRIES
from scopekey.client.errors import UnreachableError
from scopekey.core.problem import ProblemError
from scopekey.wire.audit import EntryKind, LoggedEntry

_PAGE = 200
_POLL = 0.5
_WIDTHS = (8, 24, 16, 44, 29, 0)

Key = Annotated[str | None, typer.Option(help="About this key (key_…).")]
Organization = Annotated[str | None, typer.Option(help="Of this organization (operator only).")]
PermissionOption = Annotated[
    str | None, typer.Option("--permission", "-p", help="Where this permission was required, used or missing.")
]
Category = Annotated[
    str | None, typer.Option(help='What was intended: a level, a resource group, or both, "write Core Data".')
]
DecisionOption = Annotated[
    str | None, typer.Option("--decision", help="allowed, refused, reported, or the code of a refusal.")
]
Kind = Annotated[EntryKind | None, typer.Option(help="change, decision, refusals, reads or gap.")]
Action = Annotated[str | None, typer.Option(help="Of a change: key.revoke.")]
OperationOption = Annotated[str | None, typer.Option("--operation", help='"GET /datasets/{dataset_id}".')]
RequestId = Annotated[str | None, typer.Option(help="Of this request.")]
ActorOption = Annotated[str | None, typer.Option("--actor", help="The id of who acted.")]
Since = Annotated[str | None, typer.Option(help="From this moment on: 7d (ago), or RFC 3339.")]
Until = Annotated[str | None, typer.Option(help="Before this moment.")]
JsonLines = Annotated[bool, typer.Option("--json", help="One line of JSON for each entry.")]


def search(
    key: Key = None,
    organization: Organization = None,
    permission: PermissionOption = None,
    category: Category = None,
    decision: DecisionOption = None,
    kind: Kind = None,
    action: Action = None,
    operation: OperationOption = None,
    request_id: RequestId = None,
    actor: ActorOption = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 50,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest first.")] = False,
    as_json: JsonLines = False,
    local: Local = False,
) -> None:
    """Look for entries of the log, the newest first."""
    query = {
        "key": key,
        "organization": organization,
        "permission": permission,
        "category": category,
        "decision": decision,
        "kind": kind,
        "action": action,
        "operation": operation,
        "request_id": request_id,
        "actor": actor,
        "since": since,
        "until": until,
        "order": "oldest" if oldest else "newest",
    }
    with audit_log(local=local) as log:
        found = list(islice(search_all(log, query), limit + 1))
    print_entries(found[:limit], as_json=as_json)
    if len(found) > limit and sys.stdout.isatty():
        warn(f"These are the first {limit}; there are more: give a greater --limit, or export them.")


def tail(
    key: Key = None,
    organization: Organization = None,
    permission: PermissionOption = None,
    category: Category = None,
    decision: DecisionOption = None,
    kind: Kind = None,
    action: Action = None,
    operation: OperationOption = None,
    request_id: RequestId = None,
    actor: ActorOption = None,
    since: Since = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many that are there already.")] = 20,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", "-f", help="Go on with what comes.")] = True,
    as_json: JsonLines = False,
    local: Local = False,
) -> None:
    """Show the newest entries, and each that comes, until it is interrupted.

    Over HTTP the requests with which the key itself asks for entries are left out; `search` finds them.
    """
    query = {
        "key": key,
        "organization": organization,
        "permission": permission,
        "category": category,
        "decision": decision,
        "kind": kind,
        "action": action,
        "operation": operation,
        "request_id": request_id,
        "actor": actor,
        "since": since,
    }
    with audit_log(local=local) as log:
        size, asking = size_of(log), log.own_key()
        earlier = (entry for entry in search_all(log, query) if entry.index < size and not _asks(entry, asking))
        for entry in reversed(list(islice(earlier, lines))):
            print_entry(entry, as_json=as_json)
        watch = _Watch(log, query, size)
        while follow:
            for entry in watch.look():
                if not _asks(entry, asking):
                    print_entry(entry, as_json=as_json)
            time.sleep(_POLL)


def search_all(log: AuditLog, query: dict[str, Any]) -> Iterator[LoggedEntry]:
    """Give all entries that are found, page after page, as they are asked for."""
    cursor = None
    while True:
        page = log.search_log(**query, limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def size_of(log: AuditLog) -> int:
    """How many entries are sealed."""
    try:
        return checkpoint_size(log.show_checkpoint())
    except ProblemError as error:
        if error.problem.code == "not_found":
            return 0
        raise


def print_entries(entries: list[LoggedEntry], *, as_json: bool) -> None:
    """A table for people, one line an entry for pipes and for programs."""
    if as_json:
        for entry in entries:
            typer.echo(json_of(entry))
    else:
        print_table(HEADINGS, [fields_of(entry) for entry in entries])


def print_entry(entry: LoggedEntry, *, as_json: bool) -> None:
    """One entry, at once: whoever watches must not wait until a buffer is full."""
    if as_json:
        typer.echo(json_of(entry))
    elif sys.stdout.isatty():
        fields = [field.ljust(width) for field, width in zip(fields_of(entry), _WIDTHS, strict=True)]
        refused = entry.entry.get("allowed") is False
        console().print(Text("  ".join(fields).rstrip(), style="red" if refused else ""))
    else:
        typer.echo("\t".join(fields_of(entry)))
    sys.stdout.flush()


class _Watch:
    """What comes after the log had so many entries."""

    def __init__(self, log: AuditLog, query: dict[str, Any], size: int) -> None:
        self._log = log
        self._query = query
        self._size = size
        self._away = False

    def look(self) -> Iterator[LoggedEntry]:
        """Give what came since the last look. Of a server that is away, that is said once."""
        more = True
        while more:
            after = self._size - 1 if self._size else None
            try:
                page = self._log.search_log(**self._query, order="oldest", limit=_PAGE, after=after)
            except (UnreachableError, ProblemError) as error:
                if isinstance(error, ProblemError) and error.problem.code != "unavailable":
                    raise
                if not self._away:
                    warn(f"{error}. Waiting for it.")
                self._away = True
                return
            yield from page.items
            self._size, self._away, more = max(self._size, page.through + 1), False, page.next is not None


def _asks(entry: LoggedEntry, key: str | None) -> bool:
    """Tell whether it is of a request for entries, by the key that watches: each look would show the one before."""
    told = entry.entry
    return key is not None and told.get("key") == key and told.get("operation") == f"GET {ENTRIES}"
