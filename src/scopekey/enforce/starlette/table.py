"""The table of rules that the endpoints of a Starlette application declare.

Reads the routes as the router serves them, mounted Starlette applications and routers with their prefix.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.on_starlette import MountedTable, path_of
from scopekey.enforce.routes.declaration import Declaration, declared_by
from scopekey.enforce.routes.overlap import meet
from scopekey.enforce.routes.table import METHODS, Listed, name_of
from scopekey.enforce.starlette.declare import innermost

_HANDLERS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
"""The methods that an HTTPEndpoint can have."""


class RoutesTable(MountedTable):
    """The operations of an application, what each needs, and where each is served.

    `served` tells the operations of a route by the identity of the route, or of its endpoint, and the method.
    A HEAD that Starlette adds to a GET is not listed: it is decided as GET.
    """

    def __init__(self, app: Starlette | Router, mounts: Mapping[str, Declaration] | None) -> None:
        super().__init__(mounts)
        self._heads: set[Listed] = set()
        # What is known by its identity must not make room for something else.
        self._kept: list[Route | WebSocketRoute] = []
        self._walk(app, "")
        self.refuse_unused()

    def rules(self, *, cors_preflight: bool) -> Rules:
        """The table. Raises RulesError with all faults."""
        self.faults.extend(self._hidden_heads())
        return super().rules(cors_preflight=cors_preflight)

    def _walk(self, app: Any, prefix: str) -> None:
        if is_fastapi(app):
            self.faults.append(
                f"the application at {prefix or '/'} is a FastAPI application, whose routes only "
                "scopekey.enforce.fastapi can read: protect it with that, or name its mount in mounts"
            )
            return
        router = app.router if isinstance(app, Starlette) else app
        self.refuse_default(router, prefix)
        for route in router.routes:
            if isinstance(route, Mount) and _is_plain(route):
                self._mount(route, prefix)
            elif isinstance(route, Route | WebSocketRoute) and _is_plain(route):
                self._route(route, prefix)
            elif isinstance(route, Host):
                self.faults.append(
                    f"the host {route.host!r} in {prefix or '/'} is chosen by a header field that clients write, "
                    "not by the path that is decided: protect an application for each host"
                )
            else:
                self.faults.append(f"{name_of(route)} in {prefix or '/'} is no route that can be decided on its path")

    def _route(self, route: Route | WebSocketRoute, prefix: str) -> None:
        path = prefix + route.path
        name = name_of(inspect.unwrap(innermost(route.endpoint)))
        declared = dict(_declared(route))
        if not declared:
            self.faults.append(f"{path} ({name}) answers no method: remove it")
        self._kept.append(route)
        for method, what in _listed(declared):
            where = f"{method} {path} ({name})"
            if not what:
                self.faults.append(f"{where} declares nothing: add requires(…) or public() above it")
            head = method == "GET" and declared.get("HEAD") == what
            kind = "websocket" if isinstance(route, WebSocketRoute) else "http"
            rule = self._list(method, path, what, where, kind=kind, head=head)
            if rule:
                self._serve(route, ("GET", "HEAD") if head else (method,), rule.operation)
        # An endpoint class is asked with any method, and answers 405 where a later route could have served.
        for method in sorted(_asked(route) - declared.keys()):
            self.add(method, path_of(path), [], f"{method} {path} ({name}, which has none)", kind="page")

    def _serve(self, route: Route | WebSocketRoute, methods: Sequence[str], operation: Operation) -> None:
        for thing in (route, route.endpoint):
            for method in methods:
                self.serve((id(thing), method), operation)

    def _mount(self, mount: Mount, prefix: str) -> None:
        path = prefix + mount.path
        app = getattr(mount, "_base_app", None)
        declared = self._mounts.get(path)
        whole = path + "/{path:path}"
        if declared is not None:
            self._named.add(path)
            for method, what in _listed(dict.fromkeys(METHODS, (declared,))):
                self._list(method, whole, what, f"{method} {whole} (the mount)", head=method == "GET")
        elif isinstance(app, Starlette | Router):
            self._walk(app, path)
        else:
            self.refuse_mount(path, app)
        # Whatever it has routes for, a mount answers everything under its prefix.
        self.swallow(path_of(whole), f"the mount at {path or '/'}")

    def _list(
        self, method: str, path: str, declared: Sequence[Declaration], where: str, *, head: bool, kind: str = "http"
    ) -> Rule | None:
        rule = self.add(method, path_of(path), declared, where, kind=kind)
        if rule and head:
            self._heads.add(self._listed[-1])
        return rule

    def _hidden_heads(self) -> Iterator[str]:
        """A HEAD with a rule of its own is decided by it, also where the router serves the HEAD of a GET."""
        for at, own in enumerate(self._listed):
            for number, get in enumerate(self._listed if own.rule and own.operation.method == "HEAD" else ()):
                meeting = meet(own.shape, get.shape) if get in self._heads else None
                if meeting is None or meeting.declined[1]:
                    continue
                if number < at or meeting.declined[0] or meeting.falls_through:
                    yield (
                        f"{own.where} does not get every HEAD that is decided as its own, {get.where} answers some: "
                        "register it first, with no convertor where the other has none"
                    )


def _listed(declared: Mapping[str, Sequence[Declaration]]) -> Iterator[tuple[str, Sequence[Declaration]]]:
    """What is listed of a route's methods: a HEAD that needs what its GET needs is decided as that."""
    for method, what in declared.items():
        if method != "HEAD" or declared.get("GET") != what:
            yield method, what


def _declared(route: Route | WebSocketRoute) -> Iterator[tuple[str, Sequence[Declaration]]]:
    """The methods a route answers, and what is declared for each."""
    endpoint = innermost(route.endpoint)
    of_all = declared_by(endpoint)
    if isinstance(route, WebSocketRoute):
        yield "GET", of_all
    elif isinstance(endpoint, type) and issubclass(endpoint, HTTPEndpoint):
        for method in _HANDLERS:
            handler = getattr(endpoint, method.lower(), None)
            if handler is None and method == "HEAD":
                handler = getattr(endpoint, "get", None)
            if handler is not None and (route.methods is None or method in route.methods):
                yield method, (*of_all, *declared_by(handler))
    else:
        for method in METHODS if route.methods is None else sorted(route.methods):
            yield method, of_all


def _asked(route: Route | WebSocketRoute) -> frozenset[str]:
    """The methods with which the router asks a route, whatever it answers."""
    if isinstance(route, WebSocketRoute):
        return frozenset()
    return frozenset((*METHODS, *_HANDLERS) if route.methods is None else route.methods)


def _is_plain(route: Mount | Route | WebSocketRoute) -> bool:
    """Tell whether a route chooses its requests as Starlette's own do."""
    return type(route).matches in {Mount.matches, Route.matches, WebSocketRoute.matches}


def is_fastapi(app: Any) -> bool:
    """Tell whether something is a FastAPI application or router, without importing FastAPI."""
    fastapi: Any = sys.modules.get("fastapi")
    return fastapi is not None and isinstance(app, fastapi.FastAPI | fastapi.APIRouter)
