"""A positive control: a check that believes the client about its target, its caller and its address."""

from typing import Any

from scopekey.enforce.asgi import ScopekeyMiddleware
from tests.attacks.fronts.asgi_routes import application
from tests.attacks.fronts.traced import PLANE, Who, who_of


def told(scope: Any) -> Who:
    """What the application is told: by the client, where it says anything."""
    record, key = who_of(scope.get("scopekey"))
    return record, dict(scope["headers"]).get(b"scopekey-key-id", (key or "").encode()).decode("latin-1")


class Trusting(ScopekeyMiddleware):
    async def decide(self, scope: Any, *, websocket: bool = False) -> Any:
        headers = dict(scope["headers"])
        target = headers.get(b"x-original-uri", scope["raw_path"])
        decided = {**scope, "raw_path": target, "path": target.decode("latin-1")}
        if b"x-forwarded-for" in headers:
            decided["client"] = (headers[b"x-forwarded-for"].decode("latin-1").split(",")[0], 0)
        return await super().decide(decided, websocket=websocket)


app = Trusting(application(told), PLANE)
