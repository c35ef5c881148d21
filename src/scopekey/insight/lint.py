"""Looks a table of rules over: everything that is wrong, that may surprise, or that somebody should have seen.

Pairs of operations stand in ``overlap_findings``; here is what concerns one rule, the catalog or the
OpenAPI document. A note forbids nothing: it lists what a reviewer wants to read.
"""

import re
from collections.abc import Iterator

import msgspec

from scopekey.core.catalog import Catalog, UnknownPermissionError
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Rule, Rules
from scopekey.insight.coverage import coverage
from scopekey.insight.finding import Finding, Severity, Words
from scopekey.insight.overlap_findings import overlap_findings
from scopekey.wire.openapi import object_parameter

# GET, HEAD, OPTIONS and TRACE are safe (RFC 9110 section 9.2.1): they ask for nothing to change.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_NAMES_AN_OBJECT = re.compile(r"id|.*(_id|-id|[a-z]Id|ID|_uuid|_key|_slug)|uuid")

_UNKNOWN = Words(
    "unknown-permission", Severity.ERROR, "{fault}", "write a permission of the catalog, or add this one to it"
)
_UNCOVERED = Words(
    "uncovered-operation",
    Severity.ERROR,
    "the document describes it, and no rule lists it whole: it is refused",
    "add a rule for it",
)
_UNDOCUMENTED = Words(
    "undocumented-operation",
    Severity.WARNING,
    "the document does not describe it, or no longer",
    "remove the rule, or describe the operation",
)
_UNREAD = Words(
    "unread-operation",
    Severity.WARNING,
    "it cannot be read in the document: {reason}",
    "correct the document: what has no rule is refused",
)
_CLOSED = Words(
    "closed-operation",
    Severity.WARNING,
    "it is closed to everybody: no key can ever call it",
    "say what it requires, or remove the rule: an unlisted operation is refused too",
)
_PUBLIC = Words(
    "public-operation",
    Severity.NOTE,
    "it is public: anybody may call it without a key",
    "keep it if that is meant; else say what it requires",
)
_ANY_KEY = Words(
    "any-live-key",
    Severity.NOTE,
    "it needs no permission: any live key may call it",
    "keep it if that is meant; else say what it requires",
)
_GET_WRITES = Words(
    "get-needs-write",
    Severity.NOTE,
    "a {method} that a key which may only look cannot call: {needs}",
    "check that it changes something, or shows what only those who may change it should see",
)
_WRITE_LOOKS = Words(
    "write-only-observes",
    Severity.NOTE,
    "a {method} that a key which may only look can call: {needs}",
    "check that it changes nothing, as a search or a query does",
)
_UNNAMED = Words(
    "unnamed-object",
    Severity.NOTE,
    "parameter {named} seems to name an object, and the log will not say which one was touched",
    'name it in the rule, as in object = "dataset_id"',
)
_UNUSED = Words(
    "unused-permission",
    Severity.NOTE,
    "no operation needs {name}: a key that holds it can do nothing more",
    "remove the level from the catalog, or name the operations that need it",
)


def lint(rules: Rules, catalog: Catalog, document: object = None, *, base_path: str = "") -> list[Finding]:
    """Look over a table whose permissions need not be known; the gravest findings first.

    `document` is a parsed OpenAPI document to compare with, its paths under `base_path`. Raises OpenApiError.
    """
    known = _Known(catalog)
    found = [finding for at, rule in enumerate(rules.rules) for finding in _one(at, rule, catalog, known)]
    found += overlap_findings(_canonical(rules, known), catalog)
    found += _unused(rules, catalog, known)
    if document is not None:
        found += _coverage(rules, document, base_path)
    return sorted(found, key=lambda finding: finding.severity.rank)


class _Known:
    """The catalog's permissions by any name; each unknown one is looked for once."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._faults: dict[Permission, str] = {}
        self._found: dict[Permission, Permission] = {}

    def fault(self, permission: Permission) -> str | None:
        """Say why a permission is not known, with the nearest one that is."""
        self(permission)
        return self._faults.get(permission)

    def __call__(self, permission: Permission) -> Permission:
        """Give the catalog's permission; one that is not known stays as it is."""
        if permission not in self._found:
            try:
                self._found[permission] = self._catalog.permission(str(permission))
            except UnknownPermissionError as error:
                self._found[permission] = permission
                self._faults[permission] = str(error)
        return self._found[permission]


def _canonical(rules: Rules, known: _Known) -> Rules:
    """The table with the catalog's name of every permission: aliases are no difference."""
    return msgspec.structs.replace(rules, rules=tuple(_renamed(rule, known) for rule in rules.rules))


def _renamed(rule: Rule, known: _Known) -> Rule:
    if rule.requirement is None:
        return rule
    ways = tuple(tuple(known(permission) for permission in way) for way in rule.requirement.any_of)
    return msgspec.structs.replace(rule, requirement=Requirement(ways))


def _one(at: int, rule: Rule, catalog: Catalog, known: _Known) -> Iterator[Finding]:
    """What one rule says about itself."""
    for permission in _permissions(rule):
        fault = known.fault(permission)
        if fault:
            yield _about(at, rule, _UNKNOWN, fault=fault, needs=(str(permission),))
    words = _access(rule) or _levels(rule, catalog, known)
    if words:
        yield _about(at, rule, words, needs=(str(rule.requirement or "public"),))
    named = _object(rule) if rule.object is None else None
    if named:
        yield _about(at, rule, _UNNAMED, named=named)


def _access(rule: Rule) -> Words | None:
    """Where a rule asks nobody for a permission."""
    if rule.requirement is None:
        return _PUBLIC
    if not rule.requirement.any_of:
        return _CLOSED
    return None if all(rule.requirement.any_of) else _ANY_KEY


def _levels(rule: Rule, catalog: Catalog, known: _Known) -> Words | None:
    """Where the method and the level disagree; many APIs have good reasons."""
    if rule.requirement is None or any(known.fault(permission) for permission in _permissions(rule)):
        return None
    looks = any(all(catalog.observing(known(permission)) for permission in way) for way in rule.requirement.any_of)
    if looks == (rule.operation.method in _SAFE):
        return None
    return _WRITE_LOOKS if looks else _GET_WRITES


def _object(rule: Rule) -> str | None:
    """The last parameter that looks like the name of an object."""
    resources = {permission.resource for permission in _permissions(rule)}
    found = object_parameter(rule.operation.template, resources) if len(resources) == 1 else None
    names = reversed(rule.operation.template.names) if rule.requirement else ()
    return found or next((name for name in names if _NAMES_AN_OBJECT.fullmatch(name)), None)


def _unused(rules: Rules, catalog: Catalog, known: _Known) -> Iterator[Finding]:
    used = {str(known(permission)) for rule in rules.rules for permission in _permissions(rule)}
    for name, permission in catalog.permissions.items():
        if name not in used and not catalog.is_own(permission.resource):
            yield _finding(_UNUSED, (), name=name, needs=(name,))


def _coverage(rules: Rules, document: object, base_path: str) -> Iterator[Finding]:
    compared = coverage(rules, document, base_path=base_path)
    for operation, example in compared.uncovered:
        found = _finding(_UNCOVERED, (str(operation),))
        yield msgspec.structs.replace(found, example=example)
    for at in compared.gone:
        yield _about(at, rules.rules[at], _UNDOCUMENTED)
    for left in compared.unread:
        yield _finding(_UNREAD, (left.operation,), reason=left.reason)


def _permissions(rule: Rule) -> tuple[Permission, ...]:
    """Every permission that a rule names, each once."""
    ways = rule.requirement.any_of if rule.requirement else ()
    return tuple(dict.fromkeys(permission for way in ways for permission in way))


def _about(at: int, rule: Rule, words: Words, needs: tuple[str, ...] = (), **facts: str) -> Finding:
    found = _finding(words, (str(rule.operation),), needs, method=rule.operation.method, **facts)
    field = {**dict.fromkeys((_UNNAMED, _UNDOCUMENTED), "operation"), _PUBLIC: "public"}.get(words, "requires")
    if field == "requires" and rule.requirement and len(rule.requirement.any_of) != 1:
        field = "any_of"
    return msgspec.structs.replace(found, rule=at, field=field)


def _finding(words: Words, operations: tuple[str, ...], needs: tuple[str, ...] = (), **facts: str) -> Finding:
    return Finding(
        code=words.code,
        severity=words.severity,
        operations=operations,
        message=words.message.format(**facts, needs=needs[0] if needs else ""),
        remedy=words.remedy.format(**facts),
        needs=needs,
    )
