"""What a route declares: ``requires(…)`` or ``public()``, read off the routes at start.

They run as dependencies too, and refuse when the route that was served is not the operation that was
decided: then the rules and the router disagree, and nobody checked what is about to happen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fastapi.params import Depends
from starlette.requests import HTTPConnection

from scopekey.core.rules import Mode
from scopekey.enforce.on_starlette import refuse_misrouted
from scopekey.enforce.routes.declaration import Declaration, requirement_of


class Declared(Declaration):
    """A declaration that runs as a dependency."""

    # On the event loop: a plain function would cost a thread for every request.
    async def __call__(self, connection: HTTPConnection) -> None:
        """Refuse with 500 when the route served is not the operation decided."""
        refuse_misrouted(connection.scope, place(connection.scope), self)


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


def place(scope: Mapping[str, Any]) -> tuple[Any, str]:
    """What names the served route in the table: its endpoint, and the format of its path inside its own application.

    An included router's route has its whole path in its context.
    """
    route = scope.get("route")
    context = scope.get("fastapi", {}).get("effective_route_context")
    if context is not None and getattr(context, "original_route", None) is route:
        route = context
    return scope.get("endpoint"), str(getattr(route, "path_format", ""))
