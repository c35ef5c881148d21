"""FastAPI with `protect`: every route says what it needs."""

from typing import Any

from fastapi import FastAPI, Request

from scopekey.enforce.fastapi import protect, public, requires
from tests.attacks.cases import FILE
from tests.attacks.fronts.asgi_routes import Traced, of_event, spelled
from tests.attacks.fronts.traced import PLANE, served

app = FastAPI(openapi_url=None)


def add(rule: dict[str, Any]) -> None:
    async def answer(request: Request) -> dict[str, Any]:
        await request.body()
        return served(of_event(request.scope), rule["operation"], request.path_params)

    method, template = rule["operation"].split(" ")
    needs = public() if rule.get("public") else requires(any_of=rule["any_of"], object=rule.get("object"))
    app.add_api_route(spelled(template), answer, methods=[method], dependencies=[needs])


for one in FILE["rules"]:
    add(one)
app.add_middleware(Traced, ask=of_event)
protect(app, PLANE)
