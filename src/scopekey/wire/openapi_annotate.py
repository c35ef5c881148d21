"""Writes required permissions back into an OpenAPI document, so that its readers and generators show them.

Each operation gets ``x-required-permissions`` (a list of alternatives, each a list of names), its
``security``, a sentence in its description, and the refusal among its answers. Annotating again
replaces what was annotated before.
"""

from collections.abc import Mapping
from typing import Any

from scopekey.core.requirement import Requirement
from scopekey.core.rules import InvalidOperationError, Operation, Rule, Rules
from scopekey.core.template import Shape

SCHEME = "scopekey"
EXTENSION = "x-required-permissions"
"""The permissions of an operation: a list of alternatives, each a list of names."""

SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    SCHEME: {"type": "http", "scheme": "bearer", "description": "A Scopekey API key."},
    f"{SCHEME}_header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}
_REFUSED = {
    "description": "No key, a key that cannot be used, or one that lacks a permission; `code` says which.",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def annotate(document: dict[str, Any], rules: Rules) -> tuple[str, ...]:
    """Annotate a document in place; give the operations that no rule lists, which are refused.

    An operation's rule is the one with the same method and the same template, whatever its parameters
    are called.
    """
    by_shape = {(rule.operation.method, rule.operation.template.shape): rule for rule in rules.rules}
    unlisted: list[str] = []
    _add_schemes(document)
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items() if isinstance(item, dict) else ():
            if method in _METHODS and isinstance(operation, dict):
                rule = _rule(by_shape, method.upper(), path)
                annotate_operation(operation, rule)
                if rule is None:
                    unlisted.append(f"{method.upper()} {path}")
    return tuple(unlisted)


def annotate_table(document: dict[str, Any], rules: Mapping[tuple[str, str], Rule]) -> None:
    """Annotate the operations that a table names by path and method, and leave all others as they are."""
    _add_schemes(document)
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            rule = rules.get((path, method.upper()))
            if rule is not None and isinstance(operation, dict):
                annotate_operation(operation, rule)


def annotate_operation(operation: dict[str, Any], rule: Rule | None) -> None:
    """Write one rule into one operation; None for an operation that is not listed, thus closed to all."""
    _forget(operation)
    requirement = Requirement(()) if rule is None else rule.requirement
    if requirement is None:
        operation["security"] = []
        return
    operation["security"] = [{name: []} for name in SECURITY_SCHEMES]
    operation[EXTENSION] = requirement.names()
    said = operation.get("description")
    operation["description"] = (f"{said}\n\n" if said else "") + sentence(operation[EXTENSION])
    operation.setdefault("responses", {}).setdefault("401", _REFUSED)


def sentence(alternatives: list[list[str]]) -> str:
    """Say for people what is needed, as in: Needs `datasets:read` and `jobs:write`, or `admin:write`."""
    if not alternatives:
        return "No key may call this."
    if [] in alternatives:
        return "Any live key may call this."
    return f"Needs {', or '.join(' and '.join(f'`{name}`' for name in names) for names in alternatives)}."


def _add_schemes(document: dict[str, Any]) -> None:
    document.setdefault("components", {}).setdefault("securitySchemes", {}).update(SECURITY_SCHEMES)


def _forget(operation: dict[str, Any]) -> None:
    """Take an earlier annotation back, so that the sentence does not stand twice."""
    before = operation.pop(EXTENSION, None)
    said = operation.get("description")
    if not isinstance(before, list) or not isinstance(said, str):
        return
    if all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in before):
        operation["description"] = said.removesuffix(sentence(before)).rstrip("\n")


def _rule(by_shape: Mapping[tuple[str, Shape], Rule], method: str, path: str) -> Rule | None:
    try:
        return by_shape.get((method, Operation.parse(f"{method} {path}").template.shape))
    except InvalidOperationError:
        return None
