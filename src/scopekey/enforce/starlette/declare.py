"""What an endpoint declares: ``requires(…)`` or ``public()`` above it, read off the routes at start.

The decorators run at every request too, and refuse when the route that was served is not the operation that
was decided: then the rules and the router disagree, and nobody checked what is about to happen.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.requests import HTTPConnection

from scopekey.core.rules import Mode
from scopekey.enforce.asgi import ASGIApp, Receive, Scope, Send
from scopekey.enforce.on_starlette import refuse_misrouted
from scopekey.enforce.routes.declaration import Declaration, declared_by, mark, requirement_of

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Declared(Declaration):
    """A declaration that decorates an endpoint."""

    def __call__(self, endpoint: Endpoint) -> Endpoint:
        """Declare it for a function, an endpoint class, one of its methods, or an ASGI application.

        Raises TypeError for anything else.
        """
        inner = innermost(endpoint)
        checked: Any
        if isinstance(endpoint, type):
            checked = self._of_class(endpoint)
        elif inspect.isfunction(inner) or inspect.ismethod(inner):
            checked = self._of_function(endpoint)
        elif callable(endpoint):
            checked = _Application(endpoint, self)
        else:
            raise TypeError(f"{endpoint!r} is no endpoint")
        for declared in (*declared_by(inner), self):
            if declared not in declared_by(checked):
                mark(checked, declared)
        return cast("Endpoint", checked)

    def _of_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap `function(request)`, a method that gets a request, or the same with a websocket."""
        if inspect.iscoroutinefunction(innermost(function)):

            @functools.wraps(function)
            async def checked_async(*args: Any, **kwargs: Any) -> Any:
                insist(_connection(args, kwargs).scope, self)
                return await function(*args, **kwargs)

            return checked_async

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            insist(_connection(args, kwargs).scope, self)
            return function(*args, **kwargs)

        return checked

    def _of_class(self, endpoint: Any) -> Any:
        """Check first in what serves a request, for an endpoint class or one whose instances are ASGI applications."""
        if issubclass(endpoint, HTTPEndpoint | WebSocketEndpoint):
            dispatch: Callable[[Any], Awaitable[None]] = endpoint.dispatch

            @functools.wraps(dispatch)
            async def dispatching(serving: Any) -> None:
                insist(serving.scope, self)
                await dispatch(serving)

            endpoint.dispatch = dispatching
        elif inspect.isfunction(getattr(endpoint, "__call__", None)):  # noqa: B004 - asked of the class, which is callable anyway
            call: Callable[..., Awaitable[None]] = endpoint.__call__

            @functools.wraps(call)
            async def calling(application: Any, scope: Scope, receive: Receive, send: Send) -> None:
                insist(scope, self)
                await call(application, scope, receive, send)

            endpoint.__call__ = calling
        else:
            raise TypeError(f"{endpoint!r} is neither an endpoint class nor one of ASGI applications")
        return endpoint


class _Application:
    """An ASGI application with a declaration, as an endpoint."""

    def __init__(self, app: ASGIApp, declared: Declared) -> None:
        functools.update_wrapper(self, app, updated=())
        self._app = app
        self._declared = declared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        insist(scope, self._declared)
        await self._app(scope, receive, send)


def requires(
    *permissions: str,
    any_of: Sequence[str | Sequence[str]] | None = None,
    object: str | None = None,  # noqa: A002 - the word of the rules file
    mode: Literal["enforce", "report"] = "enforce",
) -> Declared:
    """Declare what an endpoint needs: all of these permissions, and one of the sets in `any_of`.

    Decorates a function, an `HTTPEndpoint` or one of its methods, a `WebSocketEndpoint`, or an ASGI
    application that is used as an endpoint; several of them add up. `requires()` is met by any live key,
    `requires(any_of=[])` by nobody. `object` names the path parameter that names the object, for the audit
    log; `mode="report"` forgives a missing permission. Raises InvalidPermissionError for what is not
    `resource:level`, ValueError for another mode.
    """
    return Declared(requirement_of(permissions, any_of), object, Mode(mode))


def public() -> Declared:
    """Declare that an endpoint is open to everybody, without a key."""
    return Declared(None, None, Mode.ENFORCE)


def innermost(endpoint: Any) -> Any:
    """What a `functools.partial` is made of; anything else is itself."""
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    return endpoint


def insist(scope: Mapping[str, Any], declared: Declared) -> None:
    """Raise what is answered with 500, or closes a websocket, where the route reached is not what was decided."""
    refuse_misrouted(scope, _place(scope), declared)


def _place(scope: Mapping[str, Any]) -> int:
    """The identity of the served route, or of its endpoint: Starlette up to 1.9 tells only that."""
    return id(scope.get("route") or scope.get("endpoint"))


def _connection(args: Sequence[Any], kwargs: Mapping[str, Any]) -> HTTPConnection:
    for value in (*args, *kwargs.values()):
        if isinstance(value, HTTPConnection):
            return value
    raise TypeError("an endpoint that declares what it needs was called without a request or websocket")
