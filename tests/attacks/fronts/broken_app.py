"""The positive control: a middleware that decides on the decoded, normalised path. The law must find it."""

import posixpath
from typing import Any
from urllib.parse import quote

from scopekey.enforce.asgi import ScopekeyMiddleware
from tests.attacks.fronts.asgi_routes import application, of_event
from tests.attacks.fronts.traced import PLANE


class Normalising(ScopekeyMiddleware):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path = scope["path"] if scope["path"].startswith("/files") else posixpath.normpath(scope["path"])
            scope = scope | {"raw_path": quote(path.replace("/../", "/-/")).encode()}
        await super().__call__(scope, receive, send)


app = Normalising(application(of_event), PLANE)
