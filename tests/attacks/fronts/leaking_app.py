"""A positive control: a check that shows the key it refuses, breaks on some, and records nothing of others."""

from typing import Any

from scopekey.enforce.asgi import ScopekeyMiddleware
from tests.attacks.fronts.asgi_routes import application, of_event
from tests.attacks.fronts.traced import PLANE


class Leaking(ScopekeyMiddleware):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def showing(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                key = dict(scope["headers"]).get(b"authorization", b"").replace(b"\n", b"")
                message = {**message, "headers": [*message["headers"], (b"x-refused", key)]}
            await send(message)

        await super().__call__(scope, receive, showing)


app = Leaking(application(of_event), PLANE)
