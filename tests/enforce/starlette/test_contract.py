"""`protect` does what every adapter does."""

from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from scopekey.enforce import starlette as adapter
from scopekey.enforce.starlette import protect
from tests.contract.door import OK, AsgiContract, WebsocketContract
from tests.contract.door_exchange import declarations
from tests.contract.routes import Changing, StartedContract


def table(upstream):
    """The API of the suite, as Starlette declares it."""

    async def answer(http):
        body = await http.body()
        upstream.reached(http.method, http.url.path, http.scope["scopekey"], body)
        return Response(OK, headers=dict(upstream.headers))

    async def stream(http):
        upstream.reached(http.method, http.url.path, http.scope["scopekey"])
        return StreamingResponse(upstream.chunks_async())

    async def feed(websocket):
        upstream.reached("GET", websocket.url.path, websocket.scope["scopekey"])
        await websocket.accept()
        await websocket.close()

    return [
        *(Route(path, needed(answer), methods=[method]) for method, path, needed in declarations(adapter)),
        Route("/stream", adapter.requires("datasets:read")(stream)),
        WebSocketRoute("/feed", adapter.requires("datasets:read")(feed)),
    ]


class TestStarlette(WebsocketContract, AsgiContract):
    def application(self, keys, upstream, *, cors_preflight=False):
        app = Starlette(routes=table(upstream))
        protect(app, keys, applied=False, cors_preflight=cors_preflight)
        return app


class TestRoutes(StartedContract):
    adapter = adapter

    def application(self, *routes):
        return Starlette(
            routes=[Route(path, declaring(declared), methods=[method]) for method, path, declared in routes]
        )

    def change_method(self, app, method):
        app.add_middleware(Changing, method=method)


def declaring(declared):
    """An endpoint with these declarations."""

    async def endpoint(http):
        return Response(OK)

    for one in declared:
        endpoint = one(endpoint)
    return endpoint
