"""A positive control: who was let through once on a connection is not asked again."""

from typing import Any

from scopekey.enforce.asgi import ScopekeyMiddleware
from tests.attacks.fronts.asgi_routes import application, of_event
from tests.attacks.fronts.traced import PLANE

routed = application(of_event)
checked = ScopekeyMiddleware(routed, PLANE)
known: dict[Any, Any] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        await checked(scope, receive, send)
        return
    if scope["client"] in known:
        scope["scopekey"] = known[scope["client"]]
        await routed(scope, receive, send)
        return
    await checked(scope, receive, send)
    if "scopekey" in scope:
        known[scope["client"]] = scope["scopekey"]
