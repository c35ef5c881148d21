"""The check doors of a data plane, joined as `serve` and `gateway` join them, over a journal that writes the trace."""

from typing import Any

from scopekey.core.network import parse_network
from scopekey.enforce.doors.data_plane import Doors
from tests.attacks.fronts.traced import PLANE

# No check door looks at the feed.
DOORS = Doors(PLANE, None, trusted_proxies=(parse_network("127.0.0.0/8"),))  # type: ignore[arg-type]


async def app(scope: Any, receive: Any, send: Any) -> None:
    door = DOORS.at(scope["path"]) if scope["type"] == "http" else None
    if door is not None:
        await door(scope, receive, send)
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
