"""Rules from an OpenAPI document: a proposal for people to read and edit, each line with its reason.

What the document says outright (`x-required-permissions`, security scopes, public operations) is
taken; the rest is guessed from tag, path and method and says so. Where nothing fits, nobody may call
the operation until somebody decides: a proposal never opens by accident.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from scopekey.core.catalog import OWN_LEVELS, Catalog, Resource
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import InvalidOperationError, Operation, Rule, Rules
from scopekey.core.template import Literal, Mixed, Segment, Template
from scopekey.wire.openapi_catalog import proposed_catalog
from scopekey.wire.openapi_document import DocumentedOperation, LeftOut, read_document
from scopekey.wire.openapi_resource import (
    CatalogChooser,
    Choice,
    Chooser,
    TagChooser,
    level_of,
    permission_named,
    static_segments,
    stems,
)
from scopekey.wire.rules_file import write_rules

_NOBODY = Requirement(())
_LOOKING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ProposedRule(msgspec.Struct, frozen=True):
    """A rule and where it came from, in words; a line that begins with LOOK wants a person's decision."""

    rule: Rule
    comment: str


class Counts(msgspec.Struct, frozen=True):
    """What became of the document's operations. `nobody` are those of the guarded that nobody may call yet."""

    operations: int
    guarded: int
    public: int
    nobody: int
    left_out: int


class Proposal(msgspec.Struct, frozen=True):
    """Every operation of a document as a rule, or named in `left_out`.

    `catalog` is the given one, or one proposed from the document; `notes` are about the whole document.
    """

    rules: tuple[ProposedRule, ...]
    catalog: Catalog
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> Rules:
        """The rules without their comments."""
        return Rules(tuple(proposed.rule for proposed in self.rules))

    @property
    def counts(self) -> Counts:
        """Count what became of the operations."""
        public = sum(proposed.rule.public for proposed in self.rules)
        nobody = sum(proposed.rule.requirement == _NOBODY for proposed in self.rules)
        listed, left_out = len(self.rules), len(self.left_out)
        return Counts(listed + left_out, listed - public, public, nobody, left_out)


def propose(document: object, catalog: Catalog | None = None, *, base_path: str = "") -> Proposal:
    """Propose a rule for every operation of a parsed document, and a catalog where none is given.

    `base_path` stands before every path, where the API is not served from the root. Raises OpenApiError.
    """
    operations, left_out = read_document(document)
    tags = TagChooser()
    proposer = _Proposer(catalog, CatalogChooser(catalog) if catalog else tags)
    rules: list[ProposedRule] = []
    unread: list[LeftOut] = []
    for operation in operations:
        try:
            read = Operation.parse(f"{operation.method} {base_path.rstrip('/')}{operation.path}")
        except InvalidOperationError as error:
            unread.append(LeftOut(str(operation), str(error)))
            continue
        rules.append(proposer.rule(operation, read))
    root: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
    used = [permission for proposed in rules for permission in _permissions(proposed.rule)]
    return Proposal(
        rules=tuple(_with_twins(rules)),
        catalog=catalog or proposed_catalog(root, used, tags.titles),
        left_out=(*left_out, *unread),
        notes=tuple(_notes(root, base_path)),
    )


def rules_from_openapi(document: object, catalog: Catalog | None = None, *, base_path: str = "") -> Rules:
    """Give the proposed rules of a parsed document as they are. Raises OpenApiError."""
    return propose(document, catalog, base_path=base_path).table


def proposal_text(proposal: Proposal) -> str:
    """Write the proposal as a rules file for people to go through."""
    counts = proposal.counts
    header = [
        "Proposed from an OpenAPI document. Read every rule before you apply it; LOOK marks what wants a decision.",
        f"{counts.operations} operations: {counts.guarded} guarded, {counts.public} public, {counts.left_out} left out",
        f"Of the guarded, {counts.nobody} are closed to everybody until somebody decides.",
        *proposal.notes,
        *(f"Left out, and so refused: {left.operation}: {left.reason}" for left in proposal.left_out),
    ]
    comments = {str(proposed.rule.operation): proposed.comment for proposed in proposal.rules}
    return write_rules(proposal.table, comments=comments, header="\n".join(_one_line(line) for line in header))


class _Proposer:
    """Proposes what one operation needs, in one vocabulary: the catalog's, or the document's own."""

    def __init__(self, catalog: Catalog | None, chooser: Chooser) -> None:
        self._catalog = catalog
        self._chooser = chooser
        self._resources = {resource.name: resource for resource in catalog.resources} if catalog else {}
        self._observes = catalog.observes if catalog else ("read",)

    def rule(self, operation: DocumentedOperation, read: Operation) -> ProposedRule:
        requirement, comment = self._needs(operation)
        resources = {p.resource for alternative in requirement.any_of for p in alternative} if requirement else set()
        named = _object(read.template, resources) if len(resources) == 1 else None
        return ProposedRule(Rule(read, requirement, named), "\n".join(_one_line(line) for line in comment if line))

    def _needs(self, operation: DocumentedOperation) -> tuple[Requirement | None, list[str]]:
        security = operation.security
        if operation.stated is not None:
            requirement, comment = self._stated(operation.stated)
            contradicts = security.public and not security.said.startswith("`security` is absent")
            return requirement, [*comment, f"LOOK: but {security.said}" if contradicts else ""]
        if security.public:
            return None, [f"public: {security.said}", *_public_remarks(operation)]
        scoped = [alternative for alternative in security.alternatives if alternative]
        if scoped:
            return self._scoped(operation, scoped)
        return self._guessed(operation, [] if security.said == "`security` asks for a key" else [security.said])

    def _stated(self, stated: object) -> tuple[Requirement, list[str]]:
        alternatives = _alternatives(stated)
        if not alternatives:
            return _NOBODY, ["LOOK: `x-required-permissions` names no permission: closed until one is written here"]
        read = [[(name, self._permission(name)) for name in alternative] for alternative in alternatives]
        unknown = dict.fromkeys(name for alternative in read for name, permission in alternative if not permission)
        whole = [tuple(p for _, p in alternative if p) for alternative in read if all(p for _, p in alternative)]
        said = "from x-required-permissions"
        if not unknown:
            return Requirement(tuple(dict.fromkeys(whole))), [said]
        closed = "the ways with them are left out" if whole else "closed until a permission is written here"
        remark = f"LOOK: no permissions here: {', '.join(map(repr, unknown))}; {closed}"
        return Requirement(tuple(dict.fromkeys(whole))), [said, remark]

    def _scoped(self, operation: DocumentedOperation, scoped: list[tuple[str, ...]]) -> tuple[Requirement, list[str]]:
        """Several scopes of one way in are all needed; several ways in are alternatives."""
        read = [tuple(self._permission(scope) for scope in alternative) for alternative in scoped]
        known = [tuple(p for p in alternative if p) for alternative in read]
        whole = [mine for mine, alternative in zip(known, read, strict=True) if len(mine) == len(alternative)]
        names = "; ".join(", ".join(alternative) for alternative in scoped)
        if not any(known):
            return self._guessed(operation, [f"LOOK: the security scopes are no permissions here, not used: {names}"])
        remarks = [f"from security scopes {names}"]
        if len(whole) < len(scoped):
            closed = "those ways in are left out" if whole else "closed until a permission is written here"
            remarks.append(f"LOOK: some of these scopes are no permissions here: {closed}")
        if len(scoped) < len(operation.security.alternatives):
            remarks.append("another way in names no scopes and says nothing about permissions: left out")
        return Requirement(tuple(dict.fromkeys(whole))), remarks

    def _guessed(self, operation: DocumentedOperation, remarks: list[str]) -> tuple[Requirement, list[str]]:
        choice = self._chooser(operation)
        if choice is None:
            where = f"tag {', '.join(map(repr, operation.tags))} or the path" if operation.tags else "the path"
            return _NOBODY, [f"LOOK: no resource fits {where}: closed until a permission is written here", *remarks]
        resource = self._resources.get(choice.resource) or Resource(choice.resource, "", "", OWN_LEVELS)
        level = level_of(resource, operation.method, self._observes)
        comment = [f"from {choice.said} and method {operation.method}", *_doubts(operation, choice)]
        if level is None:
            remark = f"LOOK: {resource.name} offers no level that changes anything: closed until one is written here"
            return _NOBODY, [*comment, remark, *remarks]
        name, remark = level
        comment.append(f"LOOK: {remark}" if remark else "")
        return Requirement.all_of(Permission(resource.name, name)), [*comment, *remarks]

    def _permission(self, name: str) -> Permission | None:
        chooser = self._chooser if isinstance(self._chooser, CatalogChooser) else None
        return permission_named(name, chooser, self._catalog)


def _alternatives(stated: object) -> list[list[str]]:
    """Read `x-required-permissions`: one name, a list of names all needed, or a list of such lists."""
    if isinstance(stated, str):
        return [[stated]]
    if not isinstance(stated, list):
        return []
    if stated and all(isinstance(item, str) for item in stated):
        return [stated]
    if all(isinstance(item, list) and all(isinstance(name, str) for name in item) for item in stated):
        return stated
    return []


def _public_remarks(operation: DocumentedOperation) -> Iterable[str]:
    if operation.security.optional:
        yield "LOOK: whoever sends no key gets in, too"
    if operation.method not in _LOOKING:
        yield f"LOOK: {operation.method} may change something, and anybody may call it"


def _doubts(operation: DocumentedOperation, choice: Choice) -> Iterable[str]:
    if choice.weak:
        yield f"LOOK: a weak guess: {choice.resource!r} is only the nearest resource"
    if "admin" in operation.path.split("/"):
        yield "LOOK: the path says admin"


def _permissions(rule: Rule) -> Iterable[Permission]:
    return (p for alternative in rule.requirement.any_of for p in alternative) if rule.requirement else ()


def _object(template: Template, resources: Iterable[str]) -> str | None:
    """The last parameter that clearly names one object of the resource: `{dataset_id}`, or `/datasets/{id}`."""
    (wanted,) = (stems(resource) for resource in resources)
    segments = template.text.split("/")
    for name in reversed(template.names):
        at = max(at for at, segment in enumerate(segments) if f"{{{name}}}" in segment or f"{{{name}*}}" in segment)
        before = static_segments(segments[at - 1])
        collection = segments[at] == f"{{{name}}}" and bool(before) and stems(before[0]) == wanted
        if template.names.count(name) == 1 and (collection or stems(name)[:-1] == wanted or stems(name) == wanted):
            return name
    return None


def _with_twins(rules: list[ProposedRule]) -> Iterable[ProposedRule]:
    """Remark where two operations differ in their parameters' names only: any path of one is a path of the other."""
    first: dict[tuple[object, ...], str] = {}
    for proposed in rules:
        operation = proposed.rule.operation
        twin = first.setdefault((operation.method, *map(_shape, operation.template.segments)), str(operation))
        if twin == str(operation):
            yield proposed
        else:
            remark = f"LOOK: the same paths as {twin}: a call must meet both"
            yield ProposedRule(proposed.rule, f"{proposed.comment}\n{_one_line(remark)}")


def _shape(segment: Segment) -> object:
    if isinstance(segment, Literal):
        return segment.text
    return segment.literals if isinstance(segment, Mixed) else type(segment)


def _notes(root: Mapping[str, Any], base_path: str) -> Iterable[str]:
    servers = root.get("servers")
    urls = [server.get("url") for server in servers if isinstance(server, Mapping)] if isinstance(servers, list) else []
    bases = dict.fromkeys(base for url in urls if isinstance(url, str) and (base := _base(url)))
    if bases and not base_path:
        yield f"LOOK: the document's servers have a base path ({', '.join(bases)}); the rules stand without it."
    if "security" not in root:
        yield "The document sets no default security: an operation without `security` of its own is public."


def _base(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
