"""What a route declares: ``requires(…)`` or ``public()``, read off the routes at start.

They run as dependencies too, and refuse when the route that was served is not the operation that was
decided: then the rules and the router disagree, and nobody checked what is about to happen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fastapi import HTTPException, WebSocketException
from fastapi.params import Depends
from starlette.requests import HTTPConnection

from scopekey.core.rules import Mode
from scopekey.enforce.asgi import SCOPE_KEY
from scopekey.enforce.protection import SERVED_KEY
from scopekey.enforce.routes.declaration import Declaration, holds, requirement_of
from scopekey.replica.event import Event

Served = Mapping[tuple[Any, str, str], frozenset[str]]
"""The operations of a route, by its endpoint, the format of its path inside its own application, and the method."""

_MISROUTED = (
    "The route that was reached is not the operation that was decided, so it was not run. Guard the application "
    "with protect(app, keys), and register routes before it starts."
)
_INTERNAL_ERROR = 1011


class Declared(Declaration):
    """A declaration that runs as a dependency."""

    # On the event loop: a plain function would cost a thread for every request.
    async def __call__(self, connection: HTTPConnection) -> None:
        """Refuse with 500 when the route served is not the operation decided."""
        if is_decided(connection.scope, self):
            return
        if connection.scope["type"] == "websocket":
            raise WebSocketException(_INTERNAL_ERROR, "not the operation that was decided")
        raise HTTPException(500, _MISROUTED, {"Cache-Control": "no-store"})


def requires(
    *permissions: str,
    any_of: Sequence[str | Sequence[str]] | None = None,
    object: str | None = None,  # noqa: A002 - the word of the rules file
    mode: Literal["enforce", "report"] = "enforce",
) -> Any:
    """Declare what a route needs: all of these permissions, and one of the sets in `any_of`.

    For `dependencies=[…]` of a route, a router, an include or the application; several of them add up.
    `requires()` is met by any live key, `requires(any_of=[])` by nobody. `object` names the path
    parameter that names the object, for the audit log; `mode="report"` forgives a missing permission.
    Raises InvalidPermissionError for what is not `resource:level`, ValueError for another mode.
    """
    # Without use_cache=False FastAPI could skip the check where two routes share one declaration.
    return Depends(Declared(requirement_of(permissions, any_of), object, Mode(mode)), use_cache=False)


def public() -> Any:
    """Declare that a route is open to everybody, without a key."""
    return Depends(Declared(None, None, Mode.ENFORCE), use_cache=False)


def is_decided(scope: Mapping[str, Any], declared: Declared) -> bool:
    """Tell whether the route this scope was routed to is the operation its event decided."""
    event = scope.get(SCOPE_KEY)
    if not isinstance(event, Event) or not event.proceeds or event.match is None:
        return False
    served: Served | None = scope.get(SERVED_KEY)
    if served is not None:
        # The method that is served: something in between may have put another one in its place.
        method = "GET" if scope["type"] == "websocket" else scope["method"]
        return event.operation in served.get((scope.get("endpoint"), path_format(scope), method), ())
    # Rules from elsewhere, behind the plain middleware: at least what is declared here must be held.
    return holds(event, declared)


def path_format(scope: Mapping[str, Any]) -> str:
    """The format of the served route's path; an included router's route has it in its context."""
    route = scope.get("route")
    context = scope.get("fastapi", {}).get("effective_route_context")
    if context is not None and getattr(context, "original_route", None) is route:
        route = context
    return str(getattr(route, "path_format", ""))
