"""Rules from an OpenAPI document: a proposal for people to read and edit, each line with its reason.

What the document says outright (`x-required-permissions`, security scopes, public operations) is
taken; the rest is guessed from tag, path and method and says so. Where nothing fits, nobody may call
the operation until somebody decides: a proposal never opens by accident.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from scopekey.core.catalog import Catalog
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import InvalidOperationError, Operation, Rule, Rules
from scopekey.core.template import Literal, Mixed, Segment, Template
from scopekey.wire.openapi_catalog import proposed_catalog
from scopekey.wire.openapi_document import ABSENT, DocumentedOperation, LeftOut, read_document
from scopekey.wire.openapi_need import NOBODY, Proposer
from scopekey.wire.openapi_resource import CatalogChooser, TagChooser, static_segments, stems
from scopekey.wire.rules_file import write_rules


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
        nobody = sum(proposed.rule.requirement == NOBODY for proposed in self.rules)
        listed, left_out = len(self.rules), len(self.left_out)
        return Counts(listed + left_out, listed - public, public, nobody, left_out)


def propose(document: object, catalog: Catalog | None = None, *, base_path: str = "") -> Proposal:
    """Propose a rule for every operation of a parsed document, and a catalog where none is given.

    `base_path` stands before every path, where the API is not served from the root. Raises OpenApiError.
    """
    operations, left_out = read_document(document)
    tags = TagChooser()
    proposer = Proposer(catalog, CatalogChooser(catalog) if catalog else tags)
    rules: list[ProposedRule] = []
    unread: list[LeftOut] = []
    for operation in operations:
        try:
            read = Operation.parse(f"{operation.method} {base_path.rstrip('/')}{operation.path}")
        except InvalidOperationError as error:
            unread.append(LeftOut(str(operation), str(error)))
            continue
        rules.append(_ruled(read, *proposer.needs(operation)))
    root: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
    used = [permission for proposed in rules for permission in _permissions(proposed.rule)]
    return Proposal(
        rules=tuple(_with_twins(rules)),
        catalog=catalog or proposed_catalog(root, used, tags.titles),
        left_out=(*left_out, *unread),
        notes=tuple(_notes(root, operations, base_path)),
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


def _ruled(operation: Operation, requirement: Requirement | None, comment: Iterable[str]) -> ProposedRule:
    resources = {p.resource for alternative in requirement.any_of for p in alternative} if requirement else set()
    named = object_parameter(operation.template, resources) if len(resources) == 1 else None
    return ProposedRule(Rule(operation, requirement, named), "\n".join(_one_line(line) for line in comment if line))


def _permissions(rule: Rule) -> Iterable[Permission]:
    return (p for alternative in rule.requirement.any_of for p in alternative) if rule.requirement else ()


def object_parameter(template: Template, resources: Iterable[str]) -> str | None:
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


def _notes(root: Mapping[str, Any], operations: Sequence[DocumentedOperation], base_path: str) -> Iterable[str]:
    servers = root.get("servers")
    urls = [server.get("url") for server in servers if isinstance(server, Mapping)] if isinstance(servers, list) else []
    bases = dict.fromkeys(base for url in urls if isinstance(url, str) and (base := _base(url)))
    if bases and not base_path:
        yield f"LOOK: the document's servers have a base path ({', '.join(bases)}); the rules stand without it."
    silent = sum(operation.security.said == ABSENT for operation in operations)
    if silent:
        yield f"LOOK: {silent} operations say nothing of security, nor does the document: OpenAPI calls that public."


def _base(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
