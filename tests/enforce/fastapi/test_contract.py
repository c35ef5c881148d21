"""`protect` does what every adapter does."""

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse

from scopekey.enforce import fastapi as adapter
from scopekey.enforce.fastapi import protect
from tests.contract.door import OK, AsgiContract, WebsocketContract
from tests.contract.door_exchange import declarations
from tests.contract.routes import Changing, StartedContract
from tests.enforce.fastapi.apps import served


def table(app, upstream):
    """The API of the suite, as FastAPI declares it."""

    async def answer(http: Request):
        body = await http.body()
        upstream.reached(http.method, http.url.path, http.scope["scopekey"], body)
        return Response(OK, headers=dict(upstream.headers))

    async def stream(http: Request):
        upstream.reached(http.method, http.url.path, http.scope["scopekey"])
        return StreamingResponse(upstream.chunks_async())

    async def feed(websocket: WebSocket):
        upstream.reached("GET", websocket.url.path, websocket.scope["scopekey"])
        await websocket.accept()
        await websocket.close()

    for method, path, needed in declarations(adapter):
        app.add_api_route(path, answer, methods=[method], dependencies=[needed])
    app.add_api_route("/stream", stream, dependencies=[adapter.requires("datasets:read")])
    app.add_api_websocket_route("/feed", feed, dependencies=[adapter.requires("datasets:read")])


class TestFastapi(WebsocketContract, AsgiContract):
    def application(self, keys, upstream, *, cors_preflight=False):
        app = FastAPI()
        table(app, upstream)
        protect(app, keys, applied=False, cors_preflight=cors_preflight)
        return app


class TestRoutes(StartedContract):
    adapter = adapter

    def application(self, *routes):
        app = FastAPI()
        for method, path, declared in routes:
            app.add_api_route(path, served, methods=[method], dependencies=declared)
        return app

    def change_method(self, app, method):
        # Added before the guard: it stands behind it.
        app.add_middleware(Changing, method=method)
