"""The table of rules that an application's routes declare, with everything wrong with it said at once.

Reads the routes as the router serves them: included routers through FastAPI's route contexts, mounted
FastAPI and Starlette applications with their prefix.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.params import Depends
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from starlette.applications import Starlette
from starlette.routing import Mount, Route, Router, WebSocketRoute

from scopekey.core.requirement import Requirement
from scopekey.core.rules import InvalidOperationError, Mode, Operation, Rule, Rules
from scopekey.enforce.fastapi.declare import Declared
from scopekey.enforce.fastapi.overlap import Earlier, Shape, clash, meet
from scopekey.enforce.fastapi.routes import declared_by, frontends, is_own_page, name_of, template_of

NOBODY = Requirement(())
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""What a mount that is named as a whole is listed with: it answers whatever it likes."""


class RulesError(Exception):
    """The routes do not make a table of rules; `faults` lists everything that is wrong and what to do."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("the routes cannot be guarded as they stand:\n" + "\n".join(f"- {f}" for f in self.faults))


class Listed:
    """One operation of a route, in the order in which the router tries them; `rule` is None where unlisted."""

    def __init__(self, operation: Operation, shape: Shape, where: str, rule: Rule | None, kind: str) -> None:
        self.operation = operation
        self.shape = shape
        self.where = where
        self.rule = rule
        self.kind = kind


class Table:
    """The operations of an application, what each needs, and where each is served.

    `served` tells the operations of a route by its endpoint and path format; `documented` tells, for
    each FastAPI application found, the rule of a path format and a method.
    """

    def __init__(self, app: FastAPI, mounts: Mapping[str, Depends] | None, docs: str | None) -> None:
        self.faults: list[str] = []
        self.served: dict[tuple[Any, str], frozenset[str]] = {}
        self.documented: list[tuple[FastAPI, dict[tuple[str, str], Rule]]] = []
        self._mounts = {path.rstrip("/"): depends for path, depends in (mounts or {}).items()}
        self._named: set[str] = set()
        self._docs = docs
        self._listed: list[Listed] = []
        self._swallowed: list[Listed] = []
        if docs not in {None, "public"}:
            self.faults.append(f'docs={docs!r} means nothing: write docs="public", or leave it out')
        self._walk(app, "")
        unused = self._mounts.keys() - self._named
        self.faults += [f"mounts names {path!r}, but nothing is mounted there: remove it" for path in sorted(unused)]

    def rules(self, *, cors_preflight: bool) -> Rules:
        """The table. Raises RulesError with all faults."""
        faults = [*self.faults, *self._clashes()]
        if faults:
            raise RulesError(dict.fromkeys(faults))
        rules = {str(listed.operation): listed.rule for listed in self._listed if listed.rule}
        rules.update((str(shut.operation), shut) for shut in self._shut())
        return Rules(tuple(rule for rule in rules.values() if rule), cors_preflight)

    def _shut(self) -> Iterator[Rule]:
        """Own pages stay shut also where a wider route would be decided on in their stead."""
        for page in self._listed:
            if page.rule is None and any(
                listed.operation.method == page.operation.method and meet(listed.shape, page.shape)
                for listed in self._listed
                if listed.rule
            ):
                yield Rule(page.operation, NOBODY)

    def _walk(self, app: Any, prefix: str) -> None:
        documented: dict[tuple[str, str], Rule] = {}
        if isinstance(app, FastAPI):
            self.documented.append((app, documented))
            if prefix and app.root_path:
                self.faults.append(
                    f"the application mounted at {prefix} sets root_path, which moves its routes: unset it"
                )
        for context in iter_route_contexts(app.routes):
            route = context.original_route
            if isinstance(route, Mount):
                self._mount(context, prefix)
            elif isinstance(route, APIRoute | APIWebSocketRoute):
                self._route(context, prefix, documented)
            elif isinstance(route, Route | WebSocketRoute):
                self._plain(context, prefix, app)
            else:
                self.faults.append(f"{name_of(route)} in {prefix or '/'} is no route that can be decided on its path")
        for path in frontends(app):
            self._whole(prefix + path, "the frontend", ("GET", "HEAD"), itself=True)

    def _route(self, context: RouteContext, prefix: str, documented: dict[tuple[str, str], Rule]) -> None:
        path = prefix + (context.path or "")
        declared = list(declared_by(context.dependant))
        websocket = isinstance(context.original_route, APIWebSocketRoute)
        methods = ("GET",) if websocket else tuple(sorted(context.methods or ()))
        for method in methods:
            where = f"{method} {path} ({name_of(context.endpoint)})"
            if not declared:
                self.faults.append(f"{where} declares nothing: add requires(…) or public() to its dependencies")
            rule = self._list(method, path, declared, where, "websocket" if websocket else "http")
            if rule:
                documented.setdefault((context.path_format or "", method), rule)
                at = context.endpoint, context.path_format or ""
                self.served[at] = self.served.get(at, frozenset()) | {str(rule.operation)}

    def _plain(self, context: RouteContext, prefix: str, app: Any) -> None:
        """A Starlette route cannot declare anything; FastAPI's own pages are such routes too."""
        path = prefix + (context.path or "")
        methods = tuple(sorted(context.methods or ())) or ("GET",)
        page = is_own_page(context, app)
        depends = self._mounts.get(path)
        for method in methods:
            where = f"{method} {path} ({name_of(context.endpoint)})"
            if depends is not None:
                self._named.add(path)
                self._list(method, path, [depends.dependency], where, "http")
            elif page:
                self._list(method, path, [], where, "page")
            else:
                self.faults.append(f"{where} is a Starlette route: name it, as in mounts={{{path!r}: public()}}")

    def _mount(self, context: RouteContext, prefix: str) -> None:
        path = prefix + (context.path or "")
        app = getattr(context.original_route, "_base_app", None)
        if path in self._mounts:
            self._whole(path, "the mount", METHODS)
        elif isinstance(app, Starlette | Router):
            self._walk(app, path)
        else:
            self.faults.append(
                f"what is mounted at {path or '/'} ({name_of(app)}) has no routes to read: "
                f"name it, as in mounts={{{path!r}: public()}}"
            )
        # Whatever it has routes for, a mount answers everything under its prefix.
        self._swallow(path)

    def _swallow(self, path: str) -> None:
        whole = self._shape("GET", path + "/{path:path}", path)
        if whole:
            self._swallowed.append(Listed(whole[0], whole[1], f"the mount at {path or '/'}", None, "mount"))

    def _whole(self, path: str, what: str, methods: Sequence[str], *, itself: bool = False) -> None:
        """List everything under a prefix as it was named in `mounts`."""
        path = path.rstrip("/")
        depends = self._mounts.get(path)
        if depends is None:
            self.faults.append(f"{what} at {path or '/'} must be named, as in mounts={{{path!r}: public()}}")
            return
        self._named.add(path)
        for method in methods:
            for under in (path, path + "/{path:path}") if itself and path else (path + "/{path:path}",):
                self._list(method, under, [depends.dependency], f"{method} {under} ({what})", "http")

    def _list(self, method: str, path: str, declared: Sequence[Any], where: str, kind: str) -> Rule | None:
        found = self._shape(method, path, where)
        if found is None:
            return None
        operation, shape = found
        for mount in self._swallowed:
            meeting = meet(mount.shape, shape)
            if meeting and not meeting.declined[0]:
                self.faults.append(f"{where} is hidden by {mount.where}, which answers its paths: register it earlier")
        listed = [d for d in declared if isinstance(d, Declared)]
        if kind == "page" and self._docs == "public":
            rule: Rule | None = Rule(operation, None)
        else:
            rule = self._joined(operation, listed, where) if listed else None
        if rule or kind == "page":
            self._listed.append(Listed(operation, shape, where, rule, kind))
        return rule

    def _joined(self, operation: Operation, declared: Sequence[Declared], where: str) -> Rule:
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

    def _shape(self, method: str, path: str, where: str) -> tuple[Operation, Shape] | None:
        try:
            text, narrow = template_of(path)
            operation = Operation.parse(f"{method} {text}")
        except (InvalidOperationError, ValueError) as error:
            self.faults.append(f"{where}: {error}")
            return None
        return operation, Shape.of(operation.template, narrow)

    def _clashes(self) -> Iterator[str]:
        """Every pair that the router and the rules would tell apart differently."""
        by_method: dict[str, tuple[list[Listed], Earlier]] = {}
        for second in self._listed:
            listed, earlier = by_method.setdefault(second.operation.method, ([], Earlier()))
            for number, shape in earlier.rivals(second.shape):
                first = listed[number]
                why = clash(second.operation.method, shape, second.shape)
                if why and not _same(first, second):
                    yield (
                        f"{second.where} is hidden by {first.where}, registered earlier, {why}: "
                        "register it first, or change one of the paths"
                    )
            listed.append(second)
            earlier.add(second.shape)


def _same(first: Listed, second: Listed) -> bool:
    """Tell whether one is HTTP and one a websocket of one path that need the same: one rule serves both."""
    return (
        {first.kind, second.kind} == {"http", "websocket"}
        and first.rule == second.rule
        and first.operation == second.operation
    )
