"""The routes on Starlette."""

import re

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.journeys.routed.routes import ROUTES, header


def route(operation: str) -> Route:
    async def reached(request: Request) -> PlainTextResponse:
        return PlainTextResponse("routed", headers=dict([header(operation, request.path_params)]))

    method, template = operation.split(" ")
    path = re.sub(r"\{(\w+)\*\}", r"{\1:path}", template)
    return Route(path, reached, methods=[method])


app = Starlette(routes=[route(operation) for operation in ROUTES])
