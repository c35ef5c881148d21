"""Starlette with `protect`: every endpoint says what it needs."""

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from scopekey.enforce.starlette import protect, public, requires
from tests.attacks.cases import FILE
from tests.attacks.fronts.asgi_routes import Traced, of_event, spelled
from tests.attacks.fronts.traced import PLANE, served


def route(rule: dict[str, Any]) -> Route:
    async def answer(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse(served(of_event(request.scope), rule["operation"], request.path_params))

    method, template = rule["operation"].split(" ")
    declare = public() if rule.get("public") else requires(any_of=rule["any_of"], object=rule.get("object"))
    return Route(spelled(template), declare(answer), methods=[method])


app = Starlette(routes=[route(rule) for rule in FILE["rules"]], middleware=[Middleware(Traced, ask=of_event)])
protect(app, PLANE)
