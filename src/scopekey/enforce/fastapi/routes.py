"""What a route says of itself: what it declares, and whether FastAPI made it."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext
from starlette.applications import Starlette

from scopekey.enforce.fastapi.declare import Declared


def declared_by(dependant: Dependant) -> Iterator[Declared]:
    """Every declaration among a route's dependencies, at any depth."""
    if isinstance(dependant.call, Declared):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from declared_by(inner)


def is_own_page(context: RouteContext, app: Any) -> bool:
    """Tell whether a route is one of FastAPI's own pages: its OpenAPI document and what shows it."""
    own = {"openapi_url", "docs_url", "redoc_url", "swagger_ui_oauth2_redirect_url"}
    return (
        isinstance(app, FastAPI)
        and getattr(context.endpoint, "__module__", "") == "fastapi.applications"
        and context.path in {getattr(app, name, None) for name in own}
    )


def frontends(app: Any) -> Iterator[str]:
    """The paths of FastAPI's frontends, which are tried after everything else and are not among the routes."""
    router = app.router if isinstance(app, Starlette) else app
    for group in getattr(router, "_iter_low_priority_routes", tuple)():
        prefix = getattr(group, "frontend_prefix", "")
        for route in getattr(getattr(group, "original_route", group), "routes", ()):
            yield prefix.rstrip("/") + route.path
