"""What a route says of itself: its path as a template, what it declares, and whether FastAPI made it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext
from starlette.applications import Starlette
from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import PARAM_REGEX

from scopekey.enforce.fastapi.declare import Declared

_WHOLE_SEGMENT = frozenset({"str", "path"})
_PATH_SAFE = "/~.@:+=$,!*'()&_-"


def template_of(path: str) -> tuple[str, dict[str, re.Pattern[str]]]:
    """Write a Starlette path as a template, with the patterns of convertors that take less than a segment.

    `{x:path}` becomes `{x*}`, every other parameter `{x}`. Raises ValueError where that says another thing.
    """
    text, narrow, at = "", {}, 0
    for match in PARAM_REGEX.finditer(path):
        kind = match[2].lstrip(":") if match[2] else "str"
        text += quote(path[at : match.start()], safe=_PATH_SAFE)
        text += "{" + match[1] + ("*}" if kind == "path" else "}")
        if kind not in _WHOLE_SEGMENT:
            narrow[match[1]] = re.compile(CONVERTOR_TYPES[kind].regex)
        at = match.end()
    return text + quote(path[at:], safe=_PATH_SAFE), narrow


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


def name_of(thing: Any) -> str:
    """The dotted name of a function or class, or of what something is an instance of."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"
