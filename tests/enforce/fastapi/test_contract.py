"""`protect` does what every adapter does."""

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse

from scopekey.enforce import fastapi as adapter
from scopekey.enforce.fastapi import protect, public, requires
from tests.contract.door import OK, AsgiContract, WebsocketContract
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

    writes, reads = "datasets:write", "datasets:read"
    for method, path, needed in (
        ("GET", "/datasets/{id}", requires(reads, object="id")),
        ("POST", "/datasets", requires(writes)),
        ("POST", "/runs", requires(any_of=[[reads, writes, "jobs:write"], [writes, "jobs:write"]])),
        ("POST", "/trial", requires(writes, mode="report")),
        ("GET", "/whoami", requires()),
        ("GET", "/nobody", requires(any_of=[])),
        ("GET", "/open", public()),
        ("GET", "/listed", requires(reads)),
        ("HEAD", "/listed", requires("jobs:write")),
        ("OPTIONS", "/listed", requires(writes)),
    ):
        app.add_api_route(path, answer, methods=[method], dependencies=[needed])
    app.add_api_route("/stream", stream, dependencies=[requires(reads)])
    app.add_api_websocket_route("/feed", feed, dependencies=[requires(reads)])


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
