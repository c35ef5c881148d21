"""Who the calling key is, and the permissions there are."""

from fastapi import APIRouter

from scopekey.authority.reach_key import whoami
from scopekey.authority.reference import permissions_reference, presets_reference
from scopekey.enforce.fastapi import requires
from scopekey.server.api.context import Authorized, Calling, refusals
from scopekey.wire.resources import PermissionsAnswer, PresetsAnswer, WhoamiAnswer

router: APIRouter = APIRouter(prefix="/v1", tags=["Permissions"])


@router.get("/whoami", dependencies=[requires()], responses=refusals())
def get_whoami(authority: Authorized, caller: Calling) -> WhoamiAnswer:
    """Tell the calling key what it is, holds and can reach, and when it ends."""
    return whoami(authority, caller)


@router.get("/permissions", dependencies=[requires()], responses=refusals())
def get_permissions(authority: Authorized, caller: Calling) -> PermissionsAnswer:
    """List the permissions there are, by resource and group."""
    return permissions_reference(authority, caller)


@router.get("/presets", dependencies=[requires()], responses=refusals())
def get_presets(authority: Authorized, caller: Calling) -> PresetsAnswer:
    """List the presets: sets of permissions for a purpose."""
    return presets_reference(authority, caller)
