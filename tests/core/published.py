"""Two platforms' published permission tables, as catalogs and rules.

They lie beside the repository, in ``../shared/reference`` as seen from its root.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules

REFERENCE = Path(__file__).parents[2] / "../shared/reference"

Alternatives = list[frozenset[str]] | None
"""What an operation needs, as published; None where it is public, one empty set where any key will do."""


class Platform(msgspec.Struct, frozen=True):
    """One table: `lower` gives for a level the levels it includes, as the platform says."""

    name: str
    rows: list[tuple[str, Alternatives]]
    declared: frozenset[str]
    lower: dict[str, tuple[str, ...]]
    observes: tuple[str, ...]

    @property
    def used(self) -> frozenset[str]:
        return frozenset(name for _, any_of in self.rows for names in any_of or () for name in names)

    def catalog(self, permissions: frozenset[str]) -> Catalog:
        """A catalog of these permissions; the platform's `*` is a preset that holds all of them."""
        offered: dict[str, list[str]] = {}
        for name in sorted(permissions):
            resource, _, level = name.partition(":")
            offered.setdefault(resource, []).append(level)
        levels = tuple(dict.fromkeys(level for some in offered.values() for level in some))
        return Catalog(
            self.name,
            tuple(Resource(name, name, "Published", tuple(some)) for name, some in offered.items()),
            (Preset("*", "Everything", tuple(sorted(permissions))),),
            levels=levels,
            observes=tuple(level for level in self.observes if level in levels),
            implies=self.lower,
        )

    def rules(self) -> Rules:
        return Rules(tuple(Rule(Operation.parse(text), _requirement(any_of)) for text, any_of in self.rows))


def _requirement(any_of: Alternatives) -> Requirement | None:
    if any_of is None:
        return None
    return Requirement(tuple(tuple(map(Permission.parse, sorted(names))) for names in any_of))


def linode() -> Platform:
    published = _json("linode-scopes.json")
    declared = frozenset(published["declared_scopes"])
    # `ips:read` is used once and declared nowhere: a level of its own, which nothing includes.
    return Platform("linode", _rows(published), declared, {"read_write": ("read_only",)}, ("read_only", "read"))


def digitalocean() -> Platform:
    rows = _rows(_json("digitalocean-scopes.json"))
    used = frozenset(name for _, any_of in rows for names in any_of or () for name in names)
    return Platform("digitalocean", rows, used, {}, ("read", "list"))


def _json(file: str) -> Any:
    return json.loads((REFERENCE / file).read_text("utf-8"))


def _rows(published: Any) -> list[tuple[str, Alternatives]]:
    return [(f"{row['method'].upper()} {row['path']}", _alternatives(row)) for row in published["rows"]]


def _alternatives(row: dict[str, Any]) -> Alternatives:
    if row["public"]:
        return None
    # What names no permission and is not public needs a key, any key.
    named = [frozenset(f"{need['resource']}:{need['level']}" for need in alternative) for alternative in row["any_of"]]
    return named or [frozenset()]
