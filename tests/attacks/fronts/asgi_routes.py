"""The routes of the platform on Starlette, which a plain ASGI middleware or a proxy stands in front of."""

import re
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.attacks.cases import FILE
from tests.attacks.fronts.traced import Who, reached, served, who_of

OPERATIONS = tuple(rule["operation"] for rule in FILE["rules"])
Ask = Callable[[Any], Who]


def spelled(template: str) -> str:
    return re.sub(r"\{(\w+)\*\}", r"{\1:path}", template)


def routes(ask: Ask) -> list[Route]:
    return [_route(operation, ask) for operation in OPERATIONS]


def _route(operation: str, ask: Ask) -> Route:
    async def answer(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse(served(ask(request.scope), operation, request.path_params))

    method, template = operation.split(" ")
    return Route(spelled(template), answer, methods=[method])


class Traced:
    """Notes every request and handshake that gets here, before anything routes it."""

    def __init__(self, app: Any, ask: Ask) -> None:
        self._app = app
        self._ask = ask

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            reached(self._ask(scope), scope.get("method", "websocket"), scope["path"])
        await self._app(scope, receive, send)


def of_event(scope: Any) -> Who:
    """What an ASGI adapter leaves in the scope."""
    return who_of(scope.get("scopekey"))


def of_headers(scope: Any) -> Who:
    """What a proxy tells in header fields; several copies are told as one, joined, so that none is overlooked."""
    return ",".join(_values(scope, b"x-request-id")), ",".join(_values(scope, b"scopekey-key-id"))


def _values(scope: Any, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name.replace(b"_", b"-") == wanted]


def application(ask: Ask) -> Traced:
    return Traced(Starlette(routes=routes(ask)), ask)
