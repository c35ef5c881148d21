"""The permissions reference over the API: the same that `scopekey rules reference` prints."""

from scopekey.authority.actor import Caller
from scopekey.authority.unit_of_work import Authority
from scopekey.insight.reference import GroupEntry, ResourceEntry, reference
from scopekey.wire.resources import (
    PermissionAnswer,
    PermissionsAnswer,
    PresetAnswer,
    PresetsAnswer,
    ResourceAnswer,
)


def permissions_reference(authority: Authority, caller: Caller) -> PermissionsAnswer:
    """Every resource with its permissions and what each one opens, by group."""
    with authority.looking(caller) as work:
        built = reference(work.register, work.rules())
    return PermissionsAnswer(
        catalog=built.catalog,
        levels=list(built.levels),
        resources=[_resource(group, resource) for group in built.groups for resource in group.resources],
        public=list(built.public),
        any_key=list(built.any_key),
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


def _resource(group: GroupEntry, resource: ResourceEntry) -> ResourceAnswer:
    return ResourceAnswer(
        name=resource.name,
        title=resource.title,
        group=group.title,
        covers=resource.covers,
        permissions=[
            PermissionAnswer(
                name=entry.name,
                title=entry.title,
                level=entry.level,
                observes=entry.observes,
                implies=list(entry.implies),
                opens=[opening.operation for opening in entry.opens],
            )
            for entry in resource.permissions
        ],
    )
