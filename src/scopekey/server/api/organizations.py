"""Organizations: tenants and their policy, for the operator."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from scopekey.authority.organizations import (
    create_organization,
    edit_organization,
    list_organizations,
    show_organization,
)
from scopekey.enforce.fastapi import requires
from scopekey.server.api.context import Authorized, Calling, Version, refusals, say_position, say_version
from scopekey.wire.resources import CreateOrganization, EditOrganization, OrganizationAnswer, OrganizationPage

router: APIRouter = APIRouter(prefix="/v1/organizations", tags=["Organizations"])
_reads = requires("scopekey_organizations:read")
_writes = requires("scopekey_organizations:write")


@router.post("", status_code=201, dependencies=[_writes], responses=refusals("not_found"))
def post_organization(
    authority: Authorized, caller: Calling, body: CreateOrganization, response: Response
) -> OrganizationAnswer:
    """Make a tenant."""
    answer, place = create_organization(authority, caller, body)
    say_position(response, place)
    say_version(response, answer.version)
    return answer


@router.get("", dependencies=[_reads], responses=refusals("not_found"))
def get_organizations(
    authority: Authorized,
    caller: Calling,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> OrganizationPage:
    """List tenants, oldest first."""
    return list_organizations(authority, caller, limit=limit, cursor=cursor)


@router.get("/{organization_id}", dependencies=[_reads], responses=refusals("not_found"))
def get_organization(
    authority: Authorized, caller: Calling, organization_id: str, response: Response
) -> OrganizationAnswer:
    """Show a tenant."""
    answer = show_organization(authority, caller, organization_id)
    say_version(response, answer.version)
    return answer


@router.patch(
    "/{organization_id}",
    dependencies=[_writes],
    responses=refusals("exceeds_caller", "not_found", "conflict", "version_conflict"),
)
def patch_organization(
    authority: Authorized,
    caller: Calling,
    organization_id: str,
    body: EditOrganization,
    version: Version,
    response: Response,
) -> OrganizationAnswer:
    """Change a tenant. A lowered cap or a suspension reaches keys already issued."""
    answer, place = edit_organization(authority, caller, organization_id, body, version=version)
    say_position(response, place)
    say_version(response, answer.version)
    return answer
