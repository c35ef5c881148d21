"""Find keys: one by its id, many page by page. What is another organization's is not there."""

import base64
import binascii
import re
from collections.abc import Mapping

import msgspec

from scopekey.authority.actor import Caller
from scopekey.authority.key_answer import key_answer
from scopekey.authority.permissions import known
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.ids import KeyId, OrganizationId, is_key_id, is_organization_id
from scopekey.core.organization import Organization
from scopekey.core.problem import ProblemError
from scopekey.store.keys import KeyFilter, KeyRow, Status
from scopekey.wire.resources import KeyAnswer, KeyPage
from scopekey.wire.times import parse_duration, parse_moment

LOOK = "scopekey_keys:read"
_CREATED = re.compile(r"[0-9]{1,15}")


class KeyQuery(msgspec.Struct, frozen=True):
    """Which keys to list; `expiring_within` is a duration, `cursor` the `next` of the page before.

    `unused_since` is a duration or a time: keys that are older, and were not used since.
    """

    organization: str | None = None
    status: Status | None = None
    permission: str | None = None
    text: str | None = None
    expiring_within: str | None = None
    unused_since: str | None = None
    limit: int = 50
    cursor: str | None = None


def find_key(work: UnitOfWork, key_id: str, *, lock: bool = False) -> tuple[KeyRow, Organization]:
    """Find a key that exists for the actor. Raises ProblemError `not_found`."""
    row = work.tx.keys.get(KeyId(key_id), lock=lock) if is_key_id(key_id) else None
    organization = work.tx.organizations.get(row.key.organization) if row else None
    if row is None or organization is None or not work.actor.sees(organization.id):
        raise ProblemError("not_found", "There is no key with that id.")
    return row, organization


def show_key(authority: Authority, caller: Caller, key_id: str) -> KeyAnswer:
    """Show one key."""
    with authority.looking(caller, needs=LOOK) as work:
        row, organization = find_key(work, key_id)
        return key_answer(row, organization, work.register, work.now)


def list_keys(authority: Authority, caller: Caller, query: KeyQuery) -> KeyPage:
    """List keys, oldest first. The operator sees every organization's, or the one that is named."""
    with authority.looking(caller, needs=LOOK) as work:
        organization = _organization(work, query)
        rows = work.tx.keys.page(_filter(work, query, organization), read_cursor(query.cursor), query.limit + 1)
        owners = _owners(work, rows)
        items = [key_answer(row, owners[row.key.organization], work.register, work.now) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        last = rows[query.limit - 1].key if more else None
        return KeyPage(items=items, next=write_cursor(last.created, last.id) if last else None)


def _organization(work: UnitOfWork, query: KeyQuery) -> OrganizationId | None:
    if query.organization is None:
        return work.actor.organization
    return work.organization(OrganizationId(query.organization)).id


def _filter(work: UnitOfWork, query: KeyQuery, organization: OrganizationId | None) -> KeyFilter:
    bit = None
    if query.permission is not None:
        bit = work.register.bits[str(known(work.register, query.permission))]
    within = None if query.expiring_within is None else work.now + parse_duration(query.expiring_within)
    unused = None if query.unused_since is None else parse_moment(query.unused_since, work.now)
    return KeyFilter(
        organization=organization,
        status=query.status,
        bit=bit,
        text=query.text,
        expiring_before=within,
        unused_since=unused,
        now=work.now,
    )


def _owners(work: UnitOfWork, rows: list[KeyRow]) -> Mapping[OrganizationId, Organization]:
    return {owner.id: owner for owner in work.tx.organizations.many({row.key.organization for row in rows}).values()}


def write_cursor(created: int, identity: str) -> str:
    """Make an opaque cursor out of the place after which a list goes on."""
    return base64.urlsafe_b64encode(f"{created}.{identity}".encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> tuple[int, str] | None:
    """Read a cursor back. Raises ProblemError `invalid_request` for anything that is not one of ours."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    created, _, identity = text.partition(".")
    if not (_CREATED.fullmatch(created) and (is_key_id(identity) or is_organization_id(identity))):
        raise ProblemError(
            "invalid_request", "`cursor` is not one that a list gave. Start again without it.", field="cursor"
        )
    return int(created), identity
