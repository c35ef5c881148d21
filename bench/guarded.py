"""An empty ASGI application behind the middleware, for a server to run: `bench.guarded:create`."""

from typing import Any

from bench.deployed import Deployed
from scopekey.enforce.asgi import ASGIApp, Scope, ScopekeyMiddleware

_BODY = b"{}"
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def empty(scope: Scope, receive: Any, send: Any) -> None:  # noqa: ARG001 - as ASGI calls it
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def create() -> ASGIApp:
    """The guarded application, over the deployment that the environment names."""
    return ScopekeyMiddleware(empty, Deployed.named())
