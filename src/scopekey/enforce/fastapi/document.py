"""Shows what each operation needs in the application's own OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from scopekey.core.requirement import Requirement
from scopekey.core.rules import Rule

SCHEME = "scopekey"
EXTENSION = "x-required-permissions"
"""The permissions of an operation: a list of alternatives, each a list of names."""

_SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    SCHEME: {"type": "http", "scheme": "bearer", "description": "A Scopekey API key."},
    f"{SCHEME}_header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}
_REFUSED = {
    "description": "No key, a key that cannot be used, or one that lacks a permission; `code` says which.",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}


def document(app: FastAPI, rules: Mapping[tuple[str, str], Rule]) -> None:
    """Make `app.openapi()` tell the permissions of each operation; rules by path format and method."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        annotate(described, rules)
        return described

    # FastAPI's documented way to extend its document is to put another function in this place.
    app.openapi = openapi  # type: ignore[method-assign]


def annotate(described: dict[str, Any], rules: Mapping[tuple[str, str], Rule]) -> None:
    """Add each rule to its operation; what was annotated before stays as it is."""
    described.setdefault("components", {}).setdefault("securitySchemes", {}).update(_SECURITY_SCHEMES)
    for path, item in described.get("paths", {}).items():
        for method, operation in item.items():
            rule = rules.get((path, method.upper()))
            if rule is not None and isinstance(operation, dict) and EXTENSION not in operation:
                _operation(operation, rule)


def _operation(operation: dict[str, Any], rule: Rule) -> None:
    if rule.requirement is None:
        operation["security"] = []
        return
    operation["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    operation[EXTENSION] = rule.requirement.names()
    said = operation.get("description")
    operation["description"] = (f"{said}\n\n" if said else "") + sentence(rule.requirement)
    operation.setdefault("responses", {}).setdefault("401", _REFUSED)


def sentence(requirement: Requirement) -> str:
    """Say for people what is needed, as in: Needs `datasets:read` and `jobs:write`, or `admin:write`."""
    if not requirement.any_of:
        return "No key may call this."
    alternatives = [" and ".join(f"`{name}`" for name in names) for names in requirement.names()]
    if "" in alternatives:
        return "Any live key may call this."
    return f"Needs {', or '.join(alternatives)}."
