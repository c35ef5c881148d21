"""The applied catalog as the permissions reference."""

from scopekey.authority.actor import Caller
from scopekey.authority.unit_of_work import Authority
from scopekey.core.catalog import Catalog, Resource
from scopekey.wire.resources import (
    PermissionAnswer,
    PermissionsAnswer,
    PresetAnswer,
    PresetsAnswer,
    ResourceAnswer,
)


def permissions_reference(authority: Authority, caller: Caller) -> PermissionsAnswer:
    """Every resource with its permissions, in the catalog's order."""
    with authority.looking(caller) as work:
        catalog = work.register.catalog
        return PermissionsAnswer(
            catalog=catalog.name,
            levels=list(catalog.levels),
            resources=[_resource(catalog, resource) for resource in catalog.all_resources],
        )


def presets_reference(authority: Authority, caller: Caller) -> PresetsAnswer:
    """Every preset."""
    with authority.looking(caller) as work:
        presets = work.register.catalog.presets
        return PresetsAnswer(
            items=[
                PresetAnswer(name=preset.name, title=preset.title, permissions=list(preset.permissions))
                for preset in presets
            ]
        )


def _resource(catalog: Catalog, resource: Resource) -> ResourceAnswer:
    permissions = [catalog.permissions[f"{resource.name}:{level}"] for level in resource.levels]
    return ResourceAnswer(
        name=resource.name,
        title=resource.title,
        group=resource.group,
        covers=resource.covers,
        permissions=[
            PermissionAnswer(
                name=str(permission),
                title=catalog.title(permission),
                level=permission.level,
                observes=catalog.observing(permission),
            )
            for permission in permissions
        ],
    )
