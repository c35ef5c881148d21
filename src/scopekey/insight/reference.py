"""The permissions reference: groups, resources, levels, what each permission opens, presets.

Read off the catalog and the rules, so that it cannot disagree with what is enforced.
"""

from collections.abc import Iterator

import msgspec

from scopekey.core.catalog import Resource
from scopekey.core.grant import Register
from scopekey.core.permission import Permission
from scopekey.core.reach import reach
from scopekey.core.rules import Rules


class Opening(msgspec.Struct, frozen=True):
    """One operation that a permission has a part in; `beside` is what else the shortest way needs."""

    operation: str
    beside: tuple[str, ...]


class PermissionEntry(msgspec.Struct, frozen=True):
    """One permission: how it is written, how it is called, and what it opens."""

    name: str
    title: str
    level: str
    observes: bool
    implies: tuple[str, ...]
    opens: tuple[Opening, ...]


class ResourceEntry(msgspec.Struct, frozen=True):
    """One resource and its permissions, in the order of the catalog's levels."""

    name: str
    title: str
    covers: str
    permissions: tuple[PermissionEntry, ...]


class GroupEntry(msgspec.Struct, frozen=True):
    """The resources of one group."""

    title: str
    resources: tuple[ResourceEntry, ...]


class PresetEntry(msgspec.Struct, frozen=True):
    """One preset, and how many operations it opens."""

    name: str
    title: str
    permissions: tuple[str, ...]
    opens: int


class Reference(msgspec.Struct, frozen=True):
    """The whole reference of one catalog under one table of rules."""

    catalog: str
    levels: tuple[str, ...]
    groups: tuple[GroupEntry, ...]
    presets: tuple[PresetEntry, ...]
    public: tuple[str, ...]
    any_key: tuple[str, ...]


def reference(register: Register, rules: Rules, *, own: bool = True) -> Reference:
    """Build the reference; `own=False` leaves out the permissions that guard Scopekey itself."""
    catalog = register.catalog
    openings = _openings(rules)
    resources = catalog.all_resources if own else catalog.resources
    groups = dict.fromkeys(resource.group for resource in resources)
    return Reference(
        catalog=catalog.name,
        levels=catalog.levels,
        groups=tuple(
            GroupEntry(
                group,
                tuple(_resource(register, resource, openings) for resource in resources if resource.group == group),
            )
            for group in groups
        ),
        presets=tuple(
            PresetEntry(
                preset.name,
                preset.title,
                preset.permissions,
                len(reach(rules, register, register.parse(preset.permissions)).open),
            )
            for preset in catalog.presets
        ),
        public=tuple(sorted(str(rule.operation) for rule in rules.rules if rule.public)),
        any_key=tuple(sorted(_any_key(rules))),
    )


def _any_key(rules: Rules) -> Iterator[str]:
    for rule in rules.rules:
        if rule.requirement is not None and () in rule.requirement.any_of:
            yield str(rule.operation)


def _openings(rules: Rules) -> dict[str, list[Opening]]:
    """For each permission the operations one of whose alternatives names it."""
    found: dict[str, list[Opening]] = {}
    for rule in rules.rules:
        ways: dict[str, tuple[str, ...]] = {}
        for alternative in rule.requirement.names() if rule.requirement else ():
            for name in alternative:
                beside = tuple(other for other in alternative if other != name)
                if name not in ways or len(beside) < len(ways[name]):
                    ways[name] = beside
        for name, beside in ways.items():
            found.setdefault(name, []).append(Opening(str(rule.operation), beside))
    # By path, then by method: the way people look for an operation.
    return {name: sorted(openings, key=_by_path) for name, openings in found.items()}


def _by_path(opening: Opening) -> tuple[str, str]:
    method, _, path = opening.operation.partition(" ")
    return path, method


def _resource(register: Register, resource: Resource, openings: dict[str, list[Opening]]) -> ResourceEntry:
    catalog = register.catalog
    permissions = [Permission(resource.name, level) for level in resource.levels]
    return ResourceEntry(
        resource.name,
        resource.title,
        resource.covers,
        tuple(
            PermissionEntry(
                name=str(permission),
                title=catalog.title(permission),
                level=permission.level,
                observes=catalog.observing(permission),
                implies=tuple(str(implied) for implied in catalog.implied(permission)),
                opens=tuple(openings.get(str(permission), ())),
            )
            for permission in permissions
        ),
    )
