"""A positive control: a check that decides on the decoded and resolved path, before an application that does not."""

import posixpath
from typing import Any
from urllib.parse import quote

from scopekey.enforce.asgi import ScopekeyMiddleware
from tests.attacks.fronts.asgi_routes import application, of_event
from tests.attacks.fronts.traced import PLANE


class Normalising(ScopekeyMiddleware):
    async def decide(self, scope: Any, *, websocket: bool = False) -> Any:
        path = posixpath.normpath(scope["path"])
        return await super().decide({**scope, "path": path, "raw_path": quote(path).encode()}, websocket=websocket)


app = Normalising(application(of_event), PLANE)
