"""What a change of the rules, or of the catalog under them, opens and closes.

Two tables are compared by what they decide, not by how they are written: on one path of every kind
(``kinds_of_path``), so that a new template which takes paths from a wider one, a removed one whose
paths fall to it, and templates that cross are seen for what they do.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from scopekey.core.grant import Register
from scopekey.core.matcher import PREFLIGHT, Match, Matcher
from scopekey.core.rules import Operation, Rules
from scopekey.core.target import Target
from scopekey.core.template import Shape, Template
from scopekey.insight.access import Access, Passage
from scopekey.insight.kinds_of_path import paths


class Kind(StrEnum):
    """What became of an operation, for who calls it."""

    NEW = "new"
    GONE = "gone"
    PUBLIC = "public now"
    GUARDED = "no longer public"
    WIDER = "wider"
    NARROWER = "narrower"
    MOVED = "moved"
    RECORDED = "recorded otherwise"
    SAME = "same"


WIDENING = frozenset({Kind.NEW, Kind.PUBLIC, Kind.WIDER, Kind.MOVED})
"""The kinds that let somebody through who was refused; also a new operation, if anybody may call it."""


class Side(msgspec.Struct, frozen=True):
    """How one table decides a request: by which operation, and what it needs in words."""

    operation: str
    needs: str


class Difference(msgspec.Struct, frozen=True):
    """One operation before and after, on the request that stands as the example; a side is None where unlisted.

    `widens` tells that somebody passes who did not.
    """

    kind: Kind
    operation: str
    example: str
    before: Side | None
    after: Side | None
    widens: bool
    access: tuple[Access, Access]

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.operation}: {self.kind}: {_words(self.before)} -> {_words(self.after)} (as in {self.example})"


class KeyEffect(msgspec.Struct, frozen=True):
    """What one key gains and loses: the differences that let it through now, or refuse it now."""

    key: str
    gains: tuple[Difference, ...]
    loses: tuple[Difference, ...]


def widenings(old: Rules, new: Rules, register_old: Register, register_new: Register) -> list[Difference]:
    """List what lets somebody through who was refused before, new operations that somebody may call among them.

    Reports only the decision: what is narrower in the same change makes up for nothing. Raises KeyError
    for a permission that a register does not have, TooManyKindsError.
    """
    return [found for found in differences(old, new, register_old, register_new) if found.widens]


def differences(old: Rules, new: Rules, register_old: Register, register_new: Register) -> list[Difference]:
    """Compare two tables, each under its register, by what they decide; `SAME` is listed too.

    The registers give a permission that keys hold the same bit. Raises KeyError for a permission that a
    register does not have, TooManyKindsError.
    """
    compared = _Compared(Matcher(old, register_old), Matcher(new, register_new), register_old, register_new)
    found: dict[object, Difference] = {}
    for one in compared.all():
        found.setdefault((one.kind, one.operation, one.before, one.after), one)
    return list(found.values())


def effects(
    differences: Iterable[Difference], register_old: Register, register_new: Register, keys: Iterable[tuple[str, int]]
) -> list[KeyEffect]:
    """Say which keys gain or lose what; a key is its name and its grant. Untouched ones are left out."""
    changed = [found for found in differences if found.kind not in {Kind.SAME, Kind.RECORDED}]
    known: dict[int, tuple[tuple[Difference, ...], tuple[Difference, ...]]] = {}
    touched = []
    for name, grant in keys:
        if grant not in known:
            held, holds = register_old.effective(grant), register_new.effective(grant)
            before = [found.access[0].lets(held) for found in changed]
            after = [found.access[1].lets(holds) for found in changed]
            pairs = list(zip(changed, before, after, strict=True))
            known[grant] = (
                tuple(found for found, was, now in pairs if now and not was),
                tuple(found for found, was, now in pairs if was and not now),
            )
        if any(known[grant]):
            touched.append(KeyEffect(name, *known[grant]))
    return touched


class _Compared:
    """Two compiled tables, asked about the same requests."""

    def __init__(self, old: Matcher, new: Matcher, register_old: Register, register_new: Register) -> None:
        self._old = old
        self._new = new
        self._onward = Passage(register_old, register_new, register_old)
        self._backward = Passage(register_new, register_old, register_old)
        listed, lists = frozenset(_keys(old.rules)), frozenset(_keys(new.rules))
        self._came = lists - listed
        self._went = listed - lists

    def all(self) -> Iterator[Difference]:
        """One difference for every kind of request that either table lists."""
        rules = (*self._old.rules.rules, *self._new.rules.rules)
        templates: dict[str, dict[Shape, Template]] = {}
        for rule in rules:
            templates.setdefault(rule.operation.method, {}).setdefault(
                rule.operation.template.shape, rule.operation.template
            )
        if "HEAD" in templates:
            # A HEAD that no HEAD rule matches is a GET.
            templates["HEAD"] |= {
                shape: template
                for shape, template in templates.get("GET", {}).items()
                if shape not in templates["HEAD"]
            }
        for method, shapes in templates.items():
            for path in paths(tuple(shapes.values())):
                yield from self._at(method, path)
        if self._old.rules.cors_preflight != self._new.rules.cors_preflight:
            yield self._preflights()

    def _at(self, method: str, path: tuple[str, ...]) -> Iterator[Difference]:
        before, after = (matcher.match(method, path) for matcher in (self._old, self._new))
        if method == "HEAD" and not any(match and match.operation.method == "HEAD" for match in (before, after)):
            return
        example = f"{method} {Target(path).path}"
        if before or after:
            yield self._difference(example, before, after)
        if method == "OPTIONS" and (before is None) != (after is None):
            was, now = (matcher.match(method, path, preflight=True) for matcher in (self._old, self._new))
            if (before, after) != (was, now):
                yield self._difference(f"{example} (a CORS preflight)", was, now)

    def _preflights(self) -> Difference:
        was, now = (PREFLIGHT if matcher.rules.cors_preflight else None for matcher in (self._old, self._new))
        return self._difference("OPTIONS * (a CORS preflight that no rule lists)", was, now)

    def _difference(self, example: str, before: Match | None, after: Match | None) -> Difference:
        was, now = Access.of(before), Access.of(after)
        keeps, adds = self._onward.kept(was, now), not self._backward.kept(now, was)
        return Difference(
            kind=_kind(before, after, was, now, keeps=keeps, adds=adds),
            operation=self._named(before, after),
            example=example,
            before=_side(before),
            after=_side(after),
            widens=adds,
            access=(was, now),
        )

    def _named(self, before: Match | None, after: Match | None) -> str:
        """Name a request by the operation that came, else by the one that went, else by the one that decides it."""
        if after and _key(after.operation) in self._came:
            return str(after.operation)
        if before and _key(before.operation) in self._went:
            return str(before.operation)
        match = after or before
        return str(match.operation) if match else ""


def _kind(before: Match | None, after: Match | None, was: Access, now: Access, *, keeps: bool, adds: bool) -> Kind:
    if before is None:
        return Kind.NEW
    if after is None:
        return Kind.GONE
    if was.public != now.public:
        return Kind.PUBLIC if now.public else Kind.GUARDED
    if adds:
        return Kind.WIDER if keeps else Kind.MOVED
    if not keeps:
        return Kind.NARROWER
    return Kind.SAME if _recorded(before) == _recorded(after) else Kind.RECORDED


def _recorded(match: Match) -> tuple[object, ...]:
    """What the log says of a request beside the decision."""
    alternatives = {frozenset(names) for names in map(tuple, match.need.requirement.names())} if match.need else None
    return _key(match.operation), alternatives, match.report, match.object


def _key(operation: Operation) -> tuple[str, Shape]:
    return operation.method, operation.template.shape


def _keys(rules: Rules) -> Iterator[tuple[str, Shape]]:
    return (_key(rule.operation) for rule in rules.rules)


def _side(match: Match | None) -> Side | None:
    return None if match is None else Side(str(match.operation), needs_of(match))


def needs_of(match: Match) -> str:
    """What a request needs, in words."""
    if match.need is None:
        return "public"
    if not match.need.requirement.any_of:
        return "nobody"
    ways = [", ".join(alternative) or "any live key" for alternative in match.need.requirement.names()]
    return "; or ".join(ways) + (" (only reported)" if match.report else "")


def _words(side: Side | None) -> str:
    return "unlisted" if side is None else side.needs
