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
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            target = headers.get(b"x-original-uri", scope["raw_path"])
            decided = {**scope, "raw_path": target, "path": target.decode("latin-1")}
            if b"x-forwarded-for" in headers:
                decided["client"] = (headers[b"x-forwarded-for"].decode("latin-1").split(",")[0], 0)
            outcome = await self.decide(decided)
            scope["scopekey"] = getattr(outcome, "event", None)
            if scope["scopekey"] is not None:
                await self.app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


app = Trusting(application(told), PLANE)
