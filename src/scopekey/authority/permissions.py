"""From the permissions somebody asked for to a mask, with refusals that help."""

from collections.abc import Sequence

from scopekey.core.catalog import UnknownPermissionError, nearest
from scopekey.core.grant import Register
from scopekey.core.organization import Organization
from scopekey.core.permission import Permission
from scopekey.core.problem import ProblemError
from scopekey.wire.faults import unknown_permission


def asked_grant(register: Register, names: Sequence[str], organization: Organization) -> int:
    """Look up permissions. Raises ProblemError `unknown_permission` with the nearest known one.

    Permissions that reach across organizations are only for keys of the operator.
    """
    mask = 0
    for name in names:
        permission = known(register, name)
        if register.catalog.operator_only(permission) and not organization.operator:
            raise ProblemError(
                "invalid_request",
                f"{permission} reaches across organizations: only keys of the operator may hold it.",
                field="permissions",
            )
        mask |= register.mask((permission,))
    return mask


def known(register: Register, name: str) -> Permission:
    """Find one permission by its name. Raises ProblemError `unknown_permission`."""
    try:
        return register.catalog.permission(name)
    except UnknownPermissionError as error:
        raise unknown_permission(error) from error


def preset_names(register: Register, name: str) -> tuple[str, ...]:
    """The permissions of a preset. Raises ProblemError `invalid_request` with the nearest known one."""
    preset = register.catalog.preset(name)
    if preset is None:
        near = nearest(name, (preset.name for preset in register.catalog.presets))
        raise ProblemError(
            "invalid_request",
            f"There is no preset {name!r}." + (f" Did you mean {near}?" if near else " GET /v1/presets lists them."),
            field="preset",
        )
    return preset.permissions
