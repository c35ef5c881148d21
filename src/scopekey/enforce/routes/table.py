"""The table of rules that an application's routes declare, with everything wrong with it said at once.

Routes are added in the order in which their router tries them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scopekey.core.requirement import Requirement
from scopekey.core.rules import InvalidOperationError, Mode, Operation, Rule, Rules
from scopekey.enforce.routes.declaration import Declaration
from scopekey.enforce.routes.overlap import Earlier, Shape, clash, meet

SERVED_KEY = "scopekey.served"
"""Where a middleware leaves the table's `served` beside the request: from a served route to its operations."""
NOBODY = Requirement(())
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""What something that is named as a whole is listed with: it answers whatever it likes."""


class RulesError(Exception):
    """The routes do not make a table of rules; `faults` lists everything that is wrong and what to do."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults: tuple[str, ...] = tuple(faults)
        super().__init__("the routes cannot be guarded as they stand:\n" + "\n".join(f"- {f}" for f in self.faults))


class Path:
    """A route's path as a template's text, and what its convertors accept where that is less than a whole segment."""

    def __init__(self, text: str, narrow: dict[str, re.Pattern[str]] | None = None) -> None:
        self.text = text
        self.narrow: dict[str, re.Pattern[str]] = narrow or {}


class Listed:
    """One operation of a route, in the order in which the router tries them; `rule` is None where unlisted."""

    def __init__(self, operation: Operation, shape: Shape, where: str, rule: Rule | None, kind: str) -> None:
        self.operation = operation
        self.shape = shape
        self.where = where
        self.rule = rule
        self.kind = kind


class Table:
    """The operations of an application and what each needs; `faults` is what is wrong so far.

    `served` tells the operations of a route by whatever names that route when it is reached. `earlier` and
    `remedy` are the words for a route that is tried before another one, and for what to do about it.
    """

    earlier = "registered earlier"
    remedy = "register it first, or change one of the paths"

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.served: dict[Any, frozenset[str]] = {}
        self._listed: list[Listed] = []
        self._swallowed: list[Listed] = []

    def add(
        self, method: str, path: Path, declared: Sequence[Declaration], where: str, *, kind: str = "http"
    ) -> Rule | None:
        """List one operation, with what it declares; gives its rule, None where it declares nothing.

        `where` names the route in messages. Kinds are `http`, `websocket` (one that needs the same as an `http` of the
        same path is no clash), and `page`, which stays shut where it declares nothing.
        """
        found = self._shape(method, path, where)
        if found is None:
            return None
        operation, shape = found
        for mount in self._swallowed:
            meeting = meet(mount.shape, shape)
            if meeting and not meeting.declined[0]:
                self.faults.append(f"{where} is hidden by {mount.where}, which answers its paths: register it earlier")
        rule = self._joined(operation, declared, where) if declared else None
        if rule or kind == "page":
            self._listed.append(Listed(operation, shape, where, rule, kind))
        return rule

    def serve(self, at: Any, operation: Operation) -> None:
        """Note that this operation is served at a place; there may be several."""
        self.served[at] = self.served.get(at, frozenset()) | {str(operation)}

    def swallow(self, everything_under: Path, where: str) -> None:
        """Note that whatever is added later under these paths is never reached."""
        whole = self._shape("GET", everything_under, where)
        if whole:
            self._swallowed.append(Listed(whole[0], whole[1], where, None, "mount"))

    def rules(self, *, cors_preflight: bool) -> Rules:
        """The table. Raises RulesError with all faults."""
        faults = [*self.faults, *self._clashes()]
        if faults:
            raise RulesError(dict.fromkeys(faults))
        rules = {str(listed.operation): listed.rule for listed in self._listed if listed.rule}
        rules.update((str(shut.operation), shut) for shut in self._shut())
        return Rules(tuple(rule for rule in rules.values() if rule), cors_preflight)

    def clash(self, method: str, first: Listed, second: Listed) -> str | None:
        """Say why two routes cannot be decided side by side; None where router and rules choose alike.

        The router is one that serves the first registered route that matches.
        """
        return clash(method, first.shape, second.shape)

    def _shut(self) -> Iterator[Rule]:
        """Own pages stay shut also where a wider route would be decided on in their stead."""
        for page in self._listed:
            if page.rule is None and any(
                listed.operation.method == page.operation.method and meet(listed.shape, page.shape)
                for listed in self._listed
                if listed.rule
            ):
                yield Rule(page.operation, NOBODY)

    def _joined(self, operation: Operation, declared: Sequence[Declaration], where: str) -> Rule:
        requirements = [d.requirement for d in declared if d.requirement is not None]
        objects = dict.fromkeys(d.object for d in declared if d.object)
        if requirements and len(requirements) < len(declared):
            self.faults.append(f"{where} is declared public and guarded at once: keep one")
        if len(objects) > 1:
            self.faults.append(f"{where} names two objects, {' and '.join(objects)}: keep one")
        if set(objects) - set(operation.template.names):
            self.faults.append(f"{where} names the object {next(iter(objects))!r}, which its path has no parameter for")
        requirement = requirements[0] if requirements else None
        for other in requirements[1:]:
            requirement = requirement.both(other) if requirement else other
        report = bool(requirements) and all(d.mode is Mode.REPORT for d in declared)
        mode = Mode.REPORT if report else Mode.ENFORCE
        return Rule(operation, requirement, next(iter(objects), None), mode)

    def _shape(self, method: str, path: Path, where: str) -> tuple[Operation, Shape] | None:
        try:
            operation = Operation.parse(f"{method} {path.text}")
        except (InvalidOperationError, ValueError) as error:
            self.faults.append(f"{where}: {error}")
            return None
        return operation, Shape.of(operation.template, path.narrow)

    def _clashes(self) -> Iterator[str]:
        """Every pair that the router and the rules would tell apart differently."""
        by_method: dict[str, tuple[list[Listed], Earlier]] = {}
        for second in self._listed:
            listed, earlier = by_method.setdefault(second.operation.method, ([], Earlier()))
            for number, _ in earlier.rivals(second.shape):
                first = listed[number]
                why = self.clash(second.operation.method, first, second)
                if why and not _same(first, second):
                    yield (f"{second.where} is hidden by {first.where}, {self.earlier}, {why}: {self.remedy}")
            listed.append(second)
            earlier.add(second.shape)


def _same(first: Listed, second: Listed) -> bool:
    """Tell whether one is HTTP and one a websocket of one path that need the same: one rule serves both."""
    return (
        {first.kind, second.kind} == {"http", "websocket"}
        and first.rule == second.rule
        and first.operation == second.operation
    )


def name_of(thing: Any) -> str:
    """The dotted name of a function or class, or of what something is an instance of."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"
