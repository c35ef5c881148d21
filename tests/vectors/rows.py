"""Reads the rows of spec/vectors, and makes the values of `core` that they speak of."""

import json
from pathlib import Path
from typing import Any

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules

VECTORS = Path(__file__).parents[2] / "spec" / "vectors"


def vectors(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def catalog_of(written: dict[str, Any]) -> Catalog:
    return Catalog(
        "vectors",
        tuple(
            Resource(name, title, group, tuple(levels)) for name, title, group, levels in written.get("resources", ())
        ),
        levels=tuple(written.get("levels", ("read", "write"))),
        observes=tuple(written.get("observes", ("read",))),
        implies={level: tuple(brings) for level, brings in written.get("implies", {}).items()},
        own=written.get("own", {}),
    )


def requirement_of(any_of: list[list[str]], register: Register) -> Requirement:
    return Requirement(tuple(tuple(map(register.catalog.permission, names)) for names in any_of))


def rules_of(written: list[dict[str, Any]], register: Register, *, cors_preflight: bool = False) -> Rules:
    return Rules(
        tuple(
            Rule(
                Operation.parse(row["operation"]),
                None if row.get("public") else requirement_of(row["any_of"], register),
                object=row.get("object"),
                mode=Mode(row.get("mode", "enforce")),
            )
            for row in written
        ),
        cors_preflight=cors_preflight,
    )
