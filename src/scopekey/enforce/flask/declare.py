"""What a view declares: ``@requires(…)`` or ``@public()``, read off the routes when the application starts.

They run at each call too, and refuse when the route that was served is not the operation that was decided:
then the rules and Flask's router disagree, and nobody checked what is about to happen.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar, cast

from flask import current_app, request
from werkzeug.exceptions import InternalServerError

from scopekey.core.rules import Mode
from scopekey.enforce.routes.declaration import Declaration, is_decided, mark, requirement_of
from scopekey.enforce.routes.table import SERVED_KEY
from scopekey.enforce.wsgi import ENVIRON_KEY
from scopekey.replica.event import Event

View = TypeVar("View", bound=Callable[..., Any])

_UNSEEN = "no Scopekey middleware has seen this request: guard the application with protect(app, keys)"
_MISROUTED = (
    "The route that was reached is not the operation that was decided, so it was not run. Guard the application "
    "with protect(app, keys), and add all routes before its first request."
)


class Declared(Declaration):
    """A declaration that is a decorator of views; several of them add up."""

    def __call__(self, view: View) -> View:
        """Give the view that runs only where the route served is the operation decided."""

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            refuse_misrouted(self)
            return current_app.ensure_sync(view)(*args, **kwargs)

        return cast("View", mark(guarded, self))


def requires(
    *permissions: str,
    any_of: Sequence[str | Sequence[str]] | None = None,
    object: str | None = None,  # noqa: A002 - the word of the rules file
    mode: Literal["enforce", "report"] = "enforce",
) -> Declared:
    """Declare what a view needs: all of these permissions, and one of the sets in `any_of`.

    A decorator, beneath the one that adds the route, or among the `decorators` of a class of views or at its
    methods; several of them add up. `requires()` is met by any live key, `requires(any_of=[])` by nobody.
    `object` names the path parameter that names the object, for the audit log; `mode="report"` forgives a
    missing permission. Raises InvalidPermissionError for what is not `resource:level`, ValueError for another mode.
    """
    return Declared(requirement_of(permissions, any_of), object, Mode(mode))


def public() -> Declared:
    """Declare that a view is open to everybody, without a key; a decorator like `requires`."""
    return Declared(None, None, Mode.ENFORCE)


def current_event() -> Event:
    """What was decided about the present request: `current_event().decision.key_id` is who called.

    Raises LookupError where no Scopekey middleware has seen the request.
    """
    event = request.environ.get(ENVIRON_KEY)
    if not isinstance(event, Event):
        raise LookupError(_UNSEEN)  # noqa: TRY004 - what is missing is the middleware, not a type
    return event


def refuse_misrouted(declared: Declaration | None) -> None:
    """Raise InternalServerError (500) where the route served is not the operation decided."""
    environ, rule = request.environ, request.url_rule
    at = rule and (rule.endpoint, rule.rule, request.method)
    if not is_decided(environ.get(ENVIRON_KEY), environ.get(SERVED_KEY), at, declared):
        raise InternalServerError(_MISROUTED)
