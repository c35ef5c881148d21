"""Keys: issue, list, show, edit, rotate, revoke, and what they reach."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from scopekey.authority.edit_key import edit_key
from scopekey.authority.find_key import KeyQuery, list_keys, show_key
from scopekey.authority.issue_key import issue_key
from scopekey.authority.key_usage import DAYS, MOST_DAYS, key_usage
from scopekey.authority.reach_key import reach_key
from scopekey.authority.revoke_key import revoke_key
from scopekey.authority.rotate_key import rotate_key
from scopekey.enforce.fastapi import requires
from scopekey.server.api.context import (
    Authorized,
    Calling,
    Repeat,
    Version,
    refusals,
    say_position,
    say_version,
)
from scopekey.wire.resources import (
    CreateKey,
    Duration,
    EditKey,
    IssuedKey,
    KeyAnswer,
    KeyPage,
    Moment,
    OrganizationIdText,
    PermissionName,
    ReachAnswer,
    RevokeKey,
    RotateKey,
)
from scopekey.wire.usage import UsageAnswer

router: APIRouter = APIRouter(prefix="/v1/keys", tags=["Keys"])
_reads = requires("scopekey_keys:read")
_writes = requires("scopekey_keys:write")


@router.post(
    "",
    status_code=201,
    dependencies=[_writes],
    responses={
        200: {"model": IssuedKey, "description": "A repeat: the same key, without its secret"},
        **refusals("unknown_permission", "exceeds_caller", "not_found", "conflict"),
    },
)
def create_key(
    authority: Authorized, caller: Calling, body: CreateKey, repeat: Repeat, response: Response
) -> IssuedKey:
    """Issue a key. Its secret is in this answer and nowhere else."""
    issued, place = issue_key(authority, caller, body, idempotency_key=repeat)
    if issued.secret is None:
        response.status_code = 200
    say_position(response, place)
    say_version(response, issued.key.version)
    return issued


@router.get("", dependencies=[_reads], responses=refusals("unknown_permission", "not_found"))
def get_keys(
    authority: Authorized,
    caller: Calling,
    organization: OrganizationIdText | None = None,
    status: Literal["active", "expired", "revoked"] | None = None,
    permission: PermissionName | None = None,
    text: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = None,
    expiring_within: Duration | None = None,
    unused_since: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> KeyPage:
    """List keys, oldest first."""
    query = KeyQuery(organization, status, permission, text, expiring_within, unused_since, limit, cursor)
    return list_keys(authority, caller, query)


@router.post("/self/revoke", dependencies=[requires()], responses=refusals())
def revoke_own_key(authority: Authorized, caller: Calling, body: RevokeKey, response: Response) -> KeyAnswer:
    """Revoke the calling key. A key may always do that."""
    answer, place = revoke_key(authority, caller, caller.id, body)
    say_position(response, place)
    say_version(response, answer.version)
    return answer


@router.get("/{key_id}", dependencies=[_reads], responses=refusals("not_found"))
def get_key(authority: Authorized, caller: Calling, key_id: str, response: Response) -> KeyAnswer:
    """Show a key: what it may do in words, when it ends, who made it."""
    answer = show_key(authority, caller, key_id)
    say_version(response, answer.version)
    return answer


@router.patch(
    "/{key_id}",
    dependencies=[_writes],
    responses=refusals("unknown_permission", "exceeds_caller", "not_found", "conflict", "version_conflict"),
)
def patch_key(
    authority: Authorized, caller: Calling, key_id: str, body: EditKey, version: Version, response: Response
) -> KeyAnswer:
    """Change a key in place; its secret stays."""
    answer, place = edit_key(authority, caller, key_id, body, version=version)
    say_position(response, place)
    say_version(response, answer.version)
    return answer


@router.post(
    "/{key_id}/rotate",
    status_code=201,
    dependencies=[_writes],
    responses={
        200: {"model": IssuedKey, "description": "A repeat: the same key, without its secret"},
        **refusals("exceeds_caller", "not_found", "rotation_in_progress", "conflict", "version_conflict"),
    },
)
def rotate(
    authority: Authorized,
    caller: Calling,
    key_id: str,
    body: RotateKey,
    version: Version,
    repeat: Repeat,
    response: Response,
) -> IssuedKey:
    """Give a key a new secret; the old one goes on until the overlap ends."""
    issued, place = rotate_key(authority, caller, key_id, body, version=version, idempotency_key=repeat)
    if issued.secret is None:
        response.status_code = 200
    say_position(response, place)
    say_version(response, issued.key.version)
    return issued


@router.post("/{key_id}/revoke", dependencies=[_writes], responses=refusals("not_found"))
def revoke(authority: Authorized, caller: Calling, key_id: str, body: RevokeKey, response: Response) -> KeyAnswer:
    """End a key now, for good."""
    answer, place = revoke_key(authority, caller, key_id, body)
    say_position(response, place)
    say_version(response, answer.version)
    return answer


@router.get("/{key_id}/reach", dependencies=[_reads], responses=refusals("unknown_permission", "not_found"))
def get_reach(
    authority: Authorized,
    caller: Calling,
    key_id: str,
    without: Annotated[list[PermissionName], Query(max_length=100)] = [],  # noqa: B006 - FastAPI copies it
    with_: Annotated[list[PermissionName], Query(alias="with", max_length=100)] = [],  # noqa: B006 - as above
) -> ReachAnswer:
    """List the operations this key can call; `without` and `with` ask what would be if."""
    return reach_key(authority, caller, key_id, without=without, with_=with_)


@router.get("/{key_id}/usage", dependencies=[requires("scopekey_usage:read")], responses=refusals("not_found"))
def get_usage(
    authority: Authorized,
    caller: Calling,
    key_id: str,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days are counted apart")] = DAYS,
) -> UsageAnswer:
    """Tell what the key was used for: each permission and each secret, by day."""
    return key_usage(authority, caller, key_id, days=days)
