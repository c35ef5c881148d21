"""Tables of operations to look rules up in: real platforms' published ones, or made-up ones with a fixed seed.

The published ones lie beside the repository, in ``../shared/reference`` as seen from its root.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import msgspec

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.wire.openapi import propose

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"
MOST = 1_533
_PARAMETER = re.compile(r"\{[^}]+\}")
_WORDS = [
    "accounts",
    "datasets",
    "jobs",
    "queries",
    "reports",
    "tokens",
    "volumes",
    "zones",
    "images",
    "events",
    "members",
    "plans",
]
_METHODS = ("GET", "POST", "PUT", "DELETE")

Row = tuple[str, list[list[str]] | None]
"""An operation, and the alternatives it needs by name; None where it is public."""


class Table(msgspec.Struct, frozen=True):
    """A compiled table, a call of each of its operations in random order, and where it is from."""

    matcher: Matcher
    calls: list[tuple[str, bytes]]
    source: str


def tables() -> list[Table]:
    """The tables of 215, 1,049 and 1,533 operations."""
    if not REFERENCE.is_dir():
        source = "made up, seed fixed (../shared/reference is not here)"
        return [_table(_made_up(count), source) for count in (215, 1_049, MOST)]
    narrative = _proposed("narrative-openapi.json")
    published = _published("digitalocean-scopes.json") + _published("linode-scopes.json")
    return [
        _table(narrative, "narrative-openapi.json"),
        _table(published, "digitalocean-scopes.json and linode-scopes.json in one table"),
        _table(every(), "the three published ones, the rest made up, seed fixed"),
    ]


def tables_by_size(sizes: Sequence[int]) -> list[Table]:
    """Tables of so many operations, drawn from the largest one."""
    whole = every()
    return [_table(Random(size).sample(whole, min(size, len(whole))), "drawn from the largest table") for size in sizes]


def every() -> list[Row]:
    """The 1,533 operations."""
    if not REFERENCE.is_dir():
        return _made_up(MOST)
    published = _proposed("narrative-openapi.json")
    published += _published("digitalocean-scopes.json") + _published("linode-scopes.json")
    return published + _made_up(MOST - len(published))


def _table(rows: list[Row], source: str) -> Table:
    catalog = _catalog(rows)
    rules = Rules(tuple(Rule(Operation.parse(text), _requirement(catalog, any_of)) for text, any_of in rows))
    calls = [call(text) for text, _ in rows]
    Random(5).shuffle(calls)
    return Table(Matcher(rules, Register.first(catalog)), calls, source)


def _requirement(catalog: Catalog, any_of: Sequence[Sequence[str]] | None) -> Requirement | None:
    if any_of is None:
        return None
    return Requirement(tuple(tuple(catalog.permission(name) for name in names) for names in any_of))


def _catalog(rows: list[Row]) -> Catalog:
    levels: dict[str, list[str]] = {}
    for name in sorted({name for _, any_of in rows for names in any_of or () for name in names}):
        resource, _, level = name.partition(":")
        levels.setdefault(resource, []).append(level)
    resources = tuple(Resource(name, name, "Published", tuple(offered)) for name, offered in levels.items())
    declared = tuple(dict.fromkeys(level for offered in levels.values() for level in offered))
    return Catalog("published", resources, levels=declared, observes=())


def call(text: str) -> tuple[str, bytes]:
    method, _, path = text.partition(" ")
    return method, quote(_PARAMETER.sub("4711", path), safe="/~.@:+=$,!*'()&_-").encode()


def _proposed(name: str) -> list[Row]:
    rules = propose(_json(name)).table.rules
    return [
        (str(rule.operation), None if rule.requirement is None else [list(n) for n in rule.requirement.names()])
        for rule in rules
    ]


def _published(name: str) -> list[Row]:
    return [(f"{row['method'].upper()} {row['path']}", _alternatives(row)) for row in _json(name)["rows"]]


def _alternatives(row: dict[str, Any]) -> list[list[str]] | None:
    # What names no permission and is not public needs a key, any key.
    named = [[f"{need['resource']}:{need['level']}" for need in alternative] for alternative in row["any_of"]]
    return None if row["public"] else named or [[]]


def _made_up(count: int) -> list[Row]:
    random = Random(11)
    made: dict[str, Row] = {}
    while len(made) < count:
        words = random.sample(_WORDS, random.randint(1, 3))
        path = "".join(f"/{word}" + random.choice(("", "/{id}")).replace("id", f"{word}_id") for word in words)
        text = f"{random.choice(_METHODS)} /made-up/{random.randint(1, 9)}{path}"
        made[text] = text, [[f"{words[-1]}:{'read' if text.startswith('GET') else 'write'}"]]
    return list(made.values())


def _json(name: str) -> Any:
    return json.loads((REFERENCE / name).read_text("utf-8"))
