"""The table of rules that a FastAPI application's routes declare.

Reads the routes as the router serves them: included routers through FastAPI's route contexts, mounted
FastAPI and Starlette applications with their prefix.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.params import Depends
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from starlette.applications import Starlette
from starlette.routing import Mount, Route, Router, WebSocketRoute

from scopekey.core.rules import Mode, Rule
from scopekey.enforce.fastapi.routes import declared_by, frontends, is_own_page
from scopekey.enforce.on_starlette import MountedTable, path_of
from scopekey.enforce.routes.declaration import Declaration
from scopekey.enforce.routes.table import METHODS, name_of


class RoutesTable(MountedTable):
    """The operations of an application, what each needs, and where each is served.

    `served` tells the operations of a route by its endpoint and path format, and the method; `documented` tells, for
    each FastAPI application found, the rule of a path format and a method.
    """

    def __init__(self, app: FastAPI, mounts: Mapping[str, Depends] | None, docs: str | None) -> None:
        super().__init__(mounts)
        self.documented: list[tuple[FastAPI, dict[tuple[str, str], Rule]]] = []
        self._docs = docs
        if docs not in {None, "public"}:
            self.faults.append(f'docs={docs!r} means nothing: write docs="public", or leave it out')
        self._walk(app, "")
        self.refuse_unused()

    def _walk(self, app: Any, prefix: str) -> None:
        documented: dict[tuple[str, str], Rule] = {}
        if isinstance(app, FastAPI):
            self.documented.append((app, documented))
            if prefix and app.root_path:
                self.faults.append(
                    f"the application mounted at {prefix} sets root_path, which moves its routes: unset it"
                )
        self.refuse_default(app.router if isinstance(app, Starlette) else app, prefix)
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
                self.serve(((context.endpoint, context.path_format or ""), method), rule.operation)

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
            self.refuse_mount(path, app)
        # Whatever it has routes for, a mount answers everything under its prefix.
        self.swallow(path_of(path + "/{path:path}"), f"the mount at {path or '/'}")

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
        listed = [d for d in declared if isinstance(d, Declaration)]
        if kind == "page" and self._docs == "public":
            listed = [Declaration(None, None, Mode.ENFORCE)]
        return self.add(method, path_of(path), listed, where, kind=kind)
