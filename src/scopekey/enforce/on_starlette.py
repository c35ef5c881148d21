"""What FastAPI and Starlette have in common: paths, routers, and what a route that was not decided is answered with."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.convertors import CONVERTOR_TYPES
from starlette.exceptions import HTTPException, WebSocketException
from starlette.routing import PARAM_REGEX, Router

from scopekey.core.target import escaped
from scopekey.enforce.asgi import SCOPE_KEY
from scopekey.enforce.routes.declaration import Declaration, is_decided
from scopekey.enforce.routes.table import SERVED_KEY, Path, Table, name_of

_MISROUTED = (
    "The route that was reached is not the operation that was decided, so it was not run. Guard the application "
    "with protect(app, keys), and register routes before it starts."
)
_INTERNAL_ERROR = 1011
_WHOLE_SEGMENT = frozenset({"str", "path"})


def path_of(path: str) -> Path:
    """Write a Starlette path as a template, with the patterns of convertors that take less than a segment.

    `{x:path}` becomes `{x*}`, every other parameter `{x}`.
    """
    text, at = "", 0
    narrow: dict[str, re.Pattern[str]] = {}
    for match in PARAM_REGEX.finditer(path):
        kind = match[2].lstrip(":") if match[2] else "str"
        text += escaped(path[at : match.start()])
        text += "{" + match[1] + ("*}" if kind == "path" else "}")
        if kind not in _WHOLE_SEGMENT:
            narrow[match[1]] = re.compile(CONVERTOR_TYPES[kind].regex)
        at = match.end()
    return Path(text + escaped(path[at:]), narrow)


class MountedTable(Table):
    """The table of an application, with what its caller names because it has no routes to read."""

    def __init__(self, mounts: Mapping[str, Any] | None) -> None:
        super().__init__()
        self._mounts = {path.rstrip("/"): declared for path, declared in (mounts or {}).items()}
        self._named: set[str] = set()

    def refuse_default(self, router: Router, prefix: str) -> None:
        """Refuse a router that answers what none of its routes does."""
        if getattr(router.default, "__func__", None) is not Router.not_found:
            self.faults.append(
                f"the router at {prefix or '/'} has a default ({name_of(router.default)}), which answers what its "
                "routes do not: mount it as the last route, and name it in mounts"
            )

    def refuse_mount(self, path: str, app: Any) -> None:
        """Refuse what is mounted, has no routes to read, and was not named."""
        self.faults.append(
            f"what is mounted at {path or '/'} ({name_of(app)}) has no routes to read: "
            f"name it, as in mounts={{{path!r}: public()}}"
        )

    def refuse_unused(self) -> None:
        """Refuse names of what is not there, once all routes are read."""
        unused = self._mounts.keys() - self._named
        self.faults.extend(f"mounts names {path!r}, but nothing is mounted there: remove it" for path in sorted(unused))


def refuse_misrouted(scope: Mapping[str, Any], place: Any, declared: Declaration) -> None:
    """Raise what is answered with 500, or closes a websocket, where the route reached is not what was decided.

    `place` names the route in the table's `served`, together with the method.
    """
    websocket = scope["type"] == "websocket"
    # The method that is served: something in between may have put another one in its place.
    at = place, "GET" if websocket else scope["method"]
    if is_decided(scope.get(SCOPE_KEY), scope.get(SERVED_KEY), at, declared):
        return
    if websocket:
        raise WebSocketException(_INTERNAL_ERROR, "not the operation that was decided")
    raise HTTPException(500, _MISROUTED, {"Cache-Control": "no-store"})
