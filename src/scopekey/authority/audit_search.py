"""Look for entries of the log. Each organization finds its own, the operator all of them."""

import base64
import re

import msgspec

from scopekey.audit.merkle import leaf_hash
from scopekey.authority.actor import Caller
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.catalog import Catalog
from scopekey.core.ids import OrganizationId
from scopekey.core.permission import InvalidPermissionError, Permission
from scopekey.core.problem import ProblemError
from scopekey.store.log_reader import EntryFilter, Found, NumberedEntry
from scopekey.wire.audit import DECISIONS, EntryKind, EntryPage, LoggedEntry, Order
from scopekey.wire.times import from_millis, parse_moment

READ = "scopekey_audit:read"
AHEAD = 3_600_000
"""How far a machine's clock may run ahead, in milliseconds: `since` finds what such a machine wrote, too."""
_LATEST = 253_402_300_799_999  # the last moment of the year 9999: a later one has no RFC 3339
_PLACE = re.compile(r"[0-9]{1,16}")


class LogQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries to look for, as they are asked for; `cursor` is the `next` of the page before.

    `category` is a level, a resource group, or both as in `write Core Data`; `since` and `until` are moments;
    `after` leaves out all entries up to an index.
    """

    organization: str | None = None
    key: str | None = None
    permission: str | None = None
    category: str | None = None
    decision: str | None = None
    kind: EntryKind | None = None
    action: str | None = None
    operation: str | None = None
    request_id: str | None = None
    actor: str | None = None
    since: str | None = None
    until: str | None = None
    after: int | None = None
    order: Order = "newest"
    limit: int = 50
    cursor: str | None = None


class _Window(msgspec.Struct):
    """Where a search is: between two indexes, both left out."""

    after: int
    before: int


def search_log(authority: Authority, caller: Caller, query: LogQuery) -> EntryPage:
    """Find entries, one page. Raises ProblemError."""
    with authority.looking(caller, needs=READ) as work:
        found = find_entries(work, query)
        return EntryPage(
            items=[logged(one) for one in found.entries],
            next=_write_place(found.through) if found.more else None,
            through=found.through,
        )


def find_entries(work: UnitOfWork, query: LogQuery) -> Found:
    """Find entries, inside of a unit of work. Raises ProblemError."""
    wanted = _filter(work, query)
    window = _window(work, query, wanted.since)
    return work.tx.log_reader.search(
        wanted, after=window.after, before=window.before, most=query.limit, oldest=query.order == "oldest"
    )


def logged(found: NumberedEntry) -> LoggedEntry:
    """Write an entry for people and programs."""
    return LoggedEntry(
        index=found.index,
        hash=leaf_hash(found.body).hex(),
        at=from_millis(min(found.entry.at, _LATEST)),
        entry=msgspec.json.decode(found.body),
        body=found.body.decode(),
    )


def _filter(work: UnitOfWork, query: LogQuery) -> EntryFilter:
    if query.decision is not None and query.decision not in DECISIONS:
        raise ProblemError("invalid_request", f"`decision` must be one of {', '.join(DECISIONS)}.", field="decision")
    level, group = _category(work.register.catalog, query.category)
    return EntryFilter(
        organization=_organization(work, query),
        key=query.key,
        request_id=query.request_id,
        kind=query.kind,
        action=query.action,
        operation=query.operation,
        decision=query.decision,
        since=_moment(query.since, "since", work.now),
        until=_moment(query.until, "until", work.now),
        actor=query.actor,
        permission=_permission(query.permission),
        level=level,
        group=group,
    )


def _organization(work: UnitOfWork, query: LogQuery) -> OrganizationId | None:
    if query.organization is not None:
        return work.organization(OrganizationId(query.organization)).id
    return None if work.actor.operator else work.actor.organization


def _permission(text: str | None) -> str | None:
    """A permission as it is written; the catalog may have lost it since."""
    try:
        return None if text is None else str(Permission.parse(text))
    except InvalidPermissionError as error:
        raise ProblemError("invalid_request", f"{error}.", field="permission") from None


def _category(catalog: Catalog, text: str | None) -> tuple[str | None, str | None]:
    """The level and the group that a category names."""
    if text is None:
        return None, None
    if text in catalog.levels:
        return text, None
    level, _, group = text.partition(" ")
    if level in catalog.levels and group and all(text != resource.group for resource in catalog.resources):
        return level, group
    return None, text


def _moment(text: str | None, field: str, now: int) -> int | None:
    try:
        return None if text is None else parse_moment(text, now)
    except ValueError as error:
        raise ProblemError("invalid_request", f"`{field}`: {error}.", field=field) from None


def _window(work: UnitOfWork, query: LogQuery, since: int | None) -> _Window:
    window = _Window(-1 if query.after is None else query.after, work.tx.log.state().size)
    if since is not None:
        # What was sealed before that is older, whoever's clock it was.
        window.after = max(window.after, work.tx.log.size_at(since - AHEAD) - 1)
    if query.cursor is not None and query.order == "oldest":
        window.after = max(window.after, _read_place(query.cursor))
    elif query.cursor is not None:
        window.before = min(window.before, _read_place(query.cursor))
    window.after = min(window.after, window.before)
    return window


def _write_place(index: int) -> str:
    """Make an opaque cursor out of the index after which a search goes on."""
    return base64.urlsafe_b64encode(f"entry.{index}".encode()).decode().rstrip("=")


def _read_place(cursor: str) -> int:
    """Read a cursor back. Raises ProblemError `invalid_request` for anything that is not one of ours."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        text = ""
    name, _, index = text.partition(".")
    if name != "entry" or not _PLACE.fullmatch(index):
        raise ProblemError(
            "invalid_request", "`cursor` is not one that a search gave. Start again without it.", field="cursor"
        )
    return int(index)
