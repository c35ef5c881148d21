"""Starlette: every endpoint says what it needs, and `protect` reads it off the routes.

Run: uvicorn starlette_app:app --port 8000
"""

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from scopekey import Scopekey
from scopekey.enforce.starlette import protect, public, requires


class Dataset(HTTPEndpoint):
    @requires("datasets:read", object="dataset_id")
    async def get(self, request: Request):
        decision = request.scope["scopekey"].decision
        return JSONResponse({"id": request.path_params["dataset_id"], "asked_by": decision.key_id})

    @requires("datasets:write", object="dataset_id")
    async def delete(self, request: Request):
        return JSONResponse({"deleted": request.path_params["dataset_id"]})


@public()
async def healthz(_request: Request):
    return JSONResponse({"ok": True})


app = Starlette(routes=[Route("/datasets/{dataset_id}", Dataset), Route("/healthz", healthz)])
protect(app, Scopekey.open())
