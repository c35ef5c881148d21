"""The table of rules that a Flask application's routes declare, blueprints included."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from flask import Flask
from werkzeug.routing import Rule as Route

from scopekey.core.rules import Operation
from scopekey.enforce.flask.declare import Declared, public
from scopekey.enforce.flask.routes import Spelling, at_nothing, in_order, path_of, without_slash
from scopekey.enforce.routes.declaration import Declaration, declared_by
from scopekey.enforce.routes.overlap import Shape, meet
from scopekey.enforce.routes.table import METHODS, Listed, Path, Table, name_of


class RoutesTable(Table):
    """The operations of an application, what each needs, and where each is served.

    `served` tells the operations of a route by its endpoint, its rule and the method. What a route answers without
    listing it, HEAD beside GET and Flask's own OPTIONS, is decided as GET and refused.
    """

    earlier = "which Werkzeug tries first"
    remedy = "change one of the paths"

    def __init__(self, app: Flask, views: Mapping[str, Declared] | None, static: str | None) -> None:
        super().__init__()
        self._app = app
        self._views = dict(views or {})
        self._unlisted: list[tuple[str, Shape, str, int]] = []
        self._declined: dict[Listed, Path] = {}
        self._passed: set[Listed] = set()
        self._routes: dict[Listed, Route] = {}
        if static not in {None, "public"}:
            self.faults.append(f'static={static!r} means nothing: write static="public", or leave it out')
        elif static:
            self._views = {name: public() for name in _static_endpoints(app)} | self._views
        if app.url_map.host_matching or app.subdomain_matching:
            self.faults.append("the application matches hosts or subdomains, but rules decide on the path alone: unset")
        found = list(in_order(app.url_map))
        for spelling in found:
            self._route(spelling)
        unused = self._views.keys() - {spelling.rule.endpoint for spelling in found}
        self.faults.extend(
            f"views names {name!r}, but no route has that endpoint: remove it" for name in sorted(unused)
        )
        self.faults.extend(self._overruled())
        self.faults.extend(self._passed_on())

    def clash(self, method: str, first: Listed, second: Listed) -> str | None:
        """Say why two routes cannot be decided side by side; two spellings of one route always can."""
        if self._routes[first] is self._routes[second] or (
            second in self._passed and self._declines(first, second.shape)
        ):
            return None
        return super().clash(method, first, second)

    def _route(self, spelling: Spelling) -> None:
        route, path = spelling.rule, path_of(spelling)
        if route.subdomain or route.host:
            self.faults.append(f"{route.rule} is bound to a host, but rules decide on the path alone: remove it")
        bare = None if route.strict_slashes or spelling.with_slash else without_slash(path)
        for spelled in (path, bare) if bare else (path,):
            for method in sorted(route.methods or METHODS):
                listed = self._operation(method, spelled, route)
                declined = at_nothing(spelled, route)
                if listed and declined:
                    self._declined[listed] = declined

    def _operation(self, method: str, path: Path, route: Route) -> Listed | None:
        view = self._app.view_functions.get(route.endpoint)
        where = f"{method} {route.rule} ({name_of(getattr(view, 'view_class', view))})"
        if _is_unlisted(method, route):
            found = self._shape(method, path, where)
            if found:
                self._unlisted.append((method, found[1], where, len(self._listed)))
            return None
        declared = _declared(view, method)
        named = self._views.get(route.endpoint)
        if named is not None:
            declared = [*declared, named]
        if not declared:
            self.faults.append(
                f"{where} declares nothing: put @requires(…) or @public() beneath the decorator that adds the route, "
                f"or name it, as in views={{{route.endpoint!r}: public()}}"
            )
        rule = self.add(method, path, declared, where, kind="websocket" if route.websocket else "http")
        if rule is None:
            return None
        listed = self._listed[-1]
        self._serves(route, listed)
        return listed

    def _serves(self, route: Route, listed: Listed) -> None:
        self._routes[listed] = route
        method = listed.operation.method
        # Flask answers HEAD by the view of GET, and it is decided as GET, where nobody lists it.
        for served in (method, "HEAD") if method == "GET" and _is_unlisted("HEAD", route) else (method,):
            self.serve((route.endpoint, route.rule, served), listed.operation)

    def _overruled(self) -> Iterator[str]:
        """Every listed HEAD or OPTIONS that Flask would answer by another route's, or the other way round."""
        for method, shape, where, place in self._unlisted:
            for at, listed in enumerate(self._listed):
                if listed.operation.method != method:
                    continue
                if at < place:
                    meeting = meet(listed.shape, shape)
                    bad = meeting and not meeting.declined[1] and (meeting.declined[0] or meeting.falls_through)
                else:
                    meeting = meet(shape, listed.shape)
                    bad = meeting and not meeting.declined[0]
                if bad:
                    yield (
                        f"{listed.where} is not always what Flask answers, for {where} answers {method} too: "
                        "add it first, or change one of the paths"
                    )

    def _passed_on(self) -> Iterator[str]:
        """List what a converter that takes slashes declines, where another route takes it; else say which."""
        for declining, path in self._declined.items():
            method = declining.operation.method
            found = self._shape(method, path, declining.where)
            others = [other for other in self._listed if other.operation.method == method]
            if found is None or any(other.operation.template.shape == found[0].template.shape for other in others):
                continue
            operation, shape = found
            taking = next((other for other in others if self._takes(other, shape)), None)
            beside = [
                where for unlisted, other, where, _ in self._unlisted if unlisted == method and meet(other, shape)
            ]
            if taking is None or taking.rule is None:
                yield from (_apart(where, declining, operation) for where in beside)
                continue
            meeting = meet(taking.shape, shape)
            covers = meeting and not meeting.falls_through and taking.operation.template.covers(operation.template)
            if beside or not covers:
                yield _apart(taking.where, declining, operation)
                continue
            rule = msgspec.structs.replace(taking.rule, operation=operation, object=None)
            passed = Listed(operation, shape, taking.where, rule, taking.kind)
            self._serves(self._routes[taking], passed)
            self._passed.add(passed)
            self._listed.insert(self._listed.index(taking), passed)

    def _takes(self, listed: Listed, shape: Shape) -> bool:
        """Tell whether a route may be what Werkzeug serves on a path that ends with a slash."""
        if self._declines(listed, shape) or shape.template.covers(listed.shape.template):
            # One that is narrower is decided by its own rule.
            return False
        meeting = meet(listed.shape, shape)
        return meeting is not None and not meeting.declined[0]

    def _declines(self, listed: Listed, shape: Shape) -> bool:
        """Tell whether nothing but the slash is left for the converter at a route's end, which it declines."""
        return listed in self._declined and len(listed.operation.template.segments) == len(shape.template.segments)


def _apart(where: str, declining: Listed, operation: Operation) -> str:
    return (
        f"{where} and {declining.where} share paths like {operation.template.text}, where the rules cannot follow the "
        "router: change one of the paths"
    )


def _static_endpoints(app: Flask) -> Iterator[str]:
    """The endpoints of the routes that Flask itself adds for static files."""
    if app.has_static_folder:
        yield "static"
    for name, blueprint in app.blueprints.items():
        if blueprint.has_static_folder:
            yield f"{name}.static"


def _is_unlisted(method: str, route: Route) -> bool:
    methods = route.methods or ()
    if method == "HEAD":
        return "GET" in methods
    return method == "OPTIONS" and bool(getattr(route, "provide_automatic_options", False))


def _declared(view: Any, method: str) -> list[Declaration]:
    """What a view declares, or its class for this method."""
    kind = getattr(view, "view_class", None)
    functions = [view, getattr(kind, "dispatch_request", None), getattr(kind, method.lower(), None)]
    return [declaration for function in functions for declaration in declared_by(function)]
