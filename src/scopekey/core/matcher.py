"""From a method and a path to the rule that decides it, whatever the order of the table.

The method comes first, so that a more specific template without the method hides nothing. Then
literal before mixed before parameter before span, from left to right. Templates that cross, so that
neither is more specific, must *both* be satisfied: whichever of the two the server behind picks, its
requirement was met.
"""

import msgspec

from scopekey.core.grant import Register
from scopekey.core.requirement import Need, Requirement, need
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.core.template import Literal, Mixed, Parameter, Span, Template

_OBSERVING_METHODS = frozenset({"GET", "HEAD"})
# Far above the combinations a table can bring about; it only keeps a hostile mix of paths from growing the copies.
_MOST_MATCHES = 100_000


class Match(msgspec.Struct, frozen=True):
    """What a request is under the rules: its operation and what it needs (None: public).

    `report` forgives a missing permission; `writes` is the journal's word for whether the operation
    may change something. `name` is the operation in words; `object_at` is the segment that is the object,
    where every path has it in the same place.
    """

    operation: Operation
    need: Need | None
    report: bool = False
    writes: bool = False
    object: str | None = None
    name: str = ""
    object_at: int | None = None

    def object_of(self, segments: tuple[str, ...]) -> str | None:
        """The object's name in a path that this operation matched, or None where no parameter names it."""
        if self.object_at is not None:
            return segments[self.object_at]
        return None if self.object is None else value_of(self.operation.template, self.object, segments)


PREFLIGHT = Match(Operation("OPTIONS", Template("*", ())), None, name="OPTIONS *")
"""A CORS preflight where the rules let them pass."""


class _Node:
    """A place in the tree of templates: what may come next, and the rules that end here."""

    __slots__ = ("literals", "mixed", "parameter", "rules", "span", "tails")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.mixed: list[tuple[Mixed, _Node]] = []
        self.parameter: _Node | None = None
        self.span: _Node | None = None
        # How many segments may follow a span here: a template has one span, so all else has a length.
        self.tails: list[int] = []
        self.rules: list[int] = []

    def add(self, segments: tuple[Literal | Mixed | Parameter | Span, ...], rule: int) -> None:
        node = self
        for at, segment in enumerate(segments, 1):
            if isinstance(segment, Span):
                node.tails = sorted({*node.tails, len(segments) - at}, reverse=True)
            node = node._next(segment)
        node.rules.append(rule)

    def _next(self, segment: Literal | Mixed | Parameter | Span) -> "_Node":
        if isinstance(segment, Literal):
            return self.literals.setdefault(segment.text, _Node())
        if isinstance(segment, Mixed):
            return self._next_mixed(segment)
        if isinstance(segment, Parameter):
            self.parameter = self.parameter or _Node()
            return self.parameter
        self.span = self.span or _Node()
        return self.span

    def _next_mixed(self, segment: Mixed) -> "_Node":
        for known, node in self.mixed:
            if known.literals == segment.literals:
                return node
        node = _Node()
        self.mixed.append((segment, node))
        # The one with more literal text is more specific; the text itself settles the rest.
        self.mixed.sort(key=lambda pair: (-sum(map(len, pair[0].literals)), pair[0].literals))
        return node

    def find(self, segments: tuple[str, ...], at: int, found: list[int]) -> None:
        """Collect every rule that matches, the most specific first."""
        node: _Node = self
        # Most places have one way on: a turn of this loop costs less than a call.
        while at < len(segments):
            if node.mixed or node.span:
                node._fork(segments, at, found)
                return
            segment = segments[at]
            at += 1
            literal, parameter = node.literals.get(segment), node.parameter if segment else None
            if literal and parameter:
                literal.find(segments, at, found)
            following = parameter or literal
            if following is None:
                return
            node = following
        found.extend(node.rules)

    def _fork(self, segments: tuple[str, ...], at: int, found: list[int]) -> None:
        """Go every way that a place with mixed segments or a span offers."""
        segment = segments[at]
        literal = self.literals.get(segment)
        if literal:
            literal.find(segments, at + 1, found)
        for mixed, node in self.mixed:
            if mixed.accepts(segment):
                node.find(segments, at + 1, found)
        if self.parameter and segment:
            self.parameter.find(segments, at + 1, found)
        if self.span:
            for tail in self.tails:
                if len(segments) - tail > at:
                    self.span.find(segments, len(segments) - tail, found)


class Matcher:
    """The compiled table, under one register. Raises KeyError for a permission the catalog does not have."""

    def __init__(self, rules: Rules, register: Register) -> None:
        self.rules = rules
        # In an order of its own, so that the table's means nothing even where two rules are equally specific.
        self._rules = sorted(rules.rules, key=lambda rule: str(rule.operation))
        self._register = register
        self._preflight = PREFLIGHT if rules.cors_preflight else None
        self._roots: dict[str, _Node] = {}
        self._literal: dict[tuple[str, tuple[str, ...]], Match] = {}
        self._matches: dict[tuple[int, ...], Match] = {}
        for at, rule in enumerate(self._rules):
            self._roots.setdefault(rule.operation.method, _Node()).add(rule.operation.template.segments, at)
            self._match((at,))
        self._index_literals()

    def match(self, method: str, segments: tuple[str, ...], *, preflight: bool = False) -> Match | None:
        """Find what a request is, or None where it is not listed.

        HEAD is decided as GET unless it is listed itself; `preflight` marks a CORS preflight.
        """
        found = self._find(method, segments)
        if found is None and method == "HEAD":
            return self._find("GET", segments)
        if found is None and preflight and method == "OPTIONS":
            return self._preflight
        return found

    def _find(self, method: str, segments: tuple[str, ...]) -> Match | None:
        # A template of literals alone is inside every other one that matches: nothing can cross it.
        literal = self._literal.get((method, segments))
        if literal is not None:
            return literal
        return self._search(method, segments)

    def _search(self, method: str, segments: tuple[str, ...]) -> Match | None:
        root = self._roots.get(method)
        if root is None:
            return None
        found: list[int] = []
        root.find(segments, 0, found)
        if not found:
            return None
        hits = tuple(found)
        return self._matches.get(hits) or self._match(hits)

    def _match(self, hits: tuple[int, ...]) -> Match:
        """Join the rules that matched into one answer, once for each combination that occurs."""
        rules = self._undominated([self._rules[hit] for hit in hits])
        requirement = joined(rules)
        first = rules[0]
        compiled = None if requirement is None else need(requirement, self._register)
        if len(self._matches) >= _MOST_MATCHES:
            self._matches.clear()
        match = self._matches[hits] = Match(
            operation=first.operation,
            need=compiled,
            report=compiled is not None and all(rule.mode is Mode.REPORT for rule in rules if not rule.public),
            writes=_writes(first.operation.method, compiled),
            object=first.object,
            name=str(first.operation),
            object_at=_place_of(first.operation.template, first.object),
        )
        return match

    def _undominated(self, rules: list[Rule]) -> list[Rule]:
        """Leave out each rule whose template is strictly wider than another one's that matched too."""
        if len(rules) == 1:
            return rules
        templates = [rule.operation.template for rule in rules]
        return [
            rule
            for rule, template in zip(rules, templates, strict=True)
            if not any(template.covers(other) and not other.covers(template) for other in templates)
        ]

    def _index_literals(self) -> None:
        for rule in self._rules:
            segments = rule.operation.template.segments
            texts = tuple(segment.text for segment in segments if isinstance(segment, Literal))
            if len(texts) == len(segments):
                found = self._search(rule.operation.method, texts)
                if found is not None:
                    self._literal[rule.operation.method, texts] = found


def joined(rules: list[Rule]) -> Requirement | None:
    """What rules that apply together need: all of it. Public only where every one of them is."""
    requirement: Requirement | None = None
    for rule in rules:
        if rule.requirement is not None:
            requirement = rule.requirement if requirement is None else requirement.both(rule.requirement)
    return requirement


def value_of(template: Template, name: str, segments: tuple[str, ...]) -> str | None:
    """The value a parameter has in a path that the template matches; the first, where a name stands twice."""
    offset = 0
    for at, segment in enumerate(template.segments):
        if isinstance(segment, Span):
            offset = len(segments) - len(template.segments)
            if segment.name == name:
                return "/".join(segments[at : at + offset + 1])
            continue
        here = segments[at + offset]
        if isinstance(segment, Parameter) and segment.name == name:
            return here
        if isinstance(segment, Mixed) and name in segment.names:
            values = segment.values(here)
            return values[segment.names.index(name)] if values else None
    return None


def _place_of(template: Template, name: str | None) -> int | None:
    """The one place where a parameter always stands: a segment of its own, with no span before it."""
    for at, segment in enumerate(template.segments):
        if isinstance(segment, Span) or (isinstance(segment, Mixed) and name in segment.names):
            return None
        if isinstance(segment, Parameter) and segment.name == name:
            return at
    return None


def _writes(method: str, compiled: Need | None) -> bool:
    """A requirement that only observes is a read; one of nothing is what its method says."""
    if compiled is None or not any(compiled.masks):
        return method not in _OBSERVING_METHODS
    return not compiled.observes
