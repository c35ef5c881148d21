"""A catalog proposed from an OpenAPI document: the resources and levels that its rules use, for people to edit."""

from collections.abc import Mapping, Sequence
from typing import Any

from scopekey.core.catalog import RESERVED_PREFIX, Catalog, Resource
from scopekey.core.permission import Permission
from scopekey.wire.openapi_resource import Words, stems, words

_FIRST_LEVELS = ("read", "write")
_OBSERVES = frozenset({"read", "read_only", "readonly", "list", "view"})


def proposed_catalog(document: Mapping[str, Any], used: Sequence[Permission], titles: Mapping[str, str]) -> Catalog:
    """Collect the permissions that are used into a catalog.

    Resources stand in the order of the document; groups are its `x-tagGroups`, else its title.
    """
    offered: dict[str, set[str]] = {}
    for permission in used:
        if not permission.resource.startswith(RESERVED_PREFIX):
            offered.setdefault(permission.resource, set()).add(permission.level)
    others = dict.fromkeys(permission.level for permission in used if permission.level not in _FIRST_LEVELS)
    levels = (*_FIRST_LEVELS, *others)
    groups = _groups(document)
    title = _title(document)
    return Catalog(
        name="_".join(words(title)) or "platform",
        resources=tuple(
            Resource(
                name=name,
                title=titles.get(name) or " ".join(words(name)).title(),
                group=groups.get(stems(name), title),
                levels=tuple(level for level in levels if level in mine),
            )
            for name, mine in offered.items()
        ),
        levels=levels,
        observes=tuple(level for level in levels if level in _OBSERVES),
    )


def _title(document: Mapping[str, Any]) -> str:
    info = document.get("info")
    title = info.get("title") if isinstance(info, Mapping) else None
    return title if isinstance(title, str) and title.strip() else "API"


def _groups(document: Mapping[str, Any]) -> dict[Words, str]:
    """The group of each tag, where the document groups its tags as documentation tools do."""
    groups = document.get("x-tagGroups")
    named = [group for group in groups if isinstance(group, Mapping)] if isinstance(groups, list) else []
    return {
        stems(tag): str(group.get("name", "API"))
        for group in named
        if isinstance(group.get("tags"), list)
        for tag in group["tags"]
        if isinstance(tag, str)
    }
