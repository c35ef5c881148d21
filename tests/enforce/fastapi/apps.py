"""Applications whose routes all answer alike, and their tables, for the tests of FastAPI's adapter."""

import pytest
from fastapi import APIRouter, FastAPI, WebSocket

from scopekey.enforce.fastapi import RulesError, requires, rules_of
from tests.contract import routes


def table(app, **options):
    """The table as text: each operation and what it needs."""
    return routes.table(rules_of(app, **options))


def served():
    return {"served": True}


def app_with(*paths, method="GET", **options):
    """An application whose routes all need datasets:read."""
    app = FastAPI(**options)
    for path in paths:
        app.add_api_route(path, served, methods=[method], dependencies=[requires("datasets:read")])
    return app


def faults(app, **options):
    with pytest.raises(RulesError) as raised:
        rules_of(app, **options)
    return raised.value.faults


def nested():
    """Two routers, one inside the other, each with dependencies and a prefix of its own."""
    inner = APIRouter(prefix="/rows", dependencies=[requires("datasets:write")])
    inner.add_api_route("/{row}", served, methods=["DELETE"])
    inner.add_api_websocket_route("/feed", stream)
    outer = APIRouter(prefix="/datasets/{dataset_id}")
    outer.include_router(inner, prefix="/v1")
    outer.add_api_route("", served)
    app = FastAPI(dependencies=[requires("jobs:read")])
    app.include_router(outer, prefix="/api", dependencies=[requires("datasets:read")])
    return app


async def stream(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()
