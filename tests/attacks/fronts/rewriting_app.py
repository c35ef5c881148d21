"""A positive control: something behind the check writes paths in lower case, and routes what nobody decided."""

from typing import Any

from scopekey.enforce.asgi import ScopekeyMiddleware
from tests.attacks.fronts.asgi_routes import application, of_event
from tests.attacks.fronts.traced import PLANE

routed = application(of_event)


async def rewriting(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        scope["path"] = scope["path"].lower().rstrip("./") or "/"
    await routed(scope, receive, send)


app = ScopekeyMiddleware(rewriting, PLANE)
