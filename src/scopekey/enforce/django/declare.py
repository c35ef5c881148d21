"""What a view declares, ``requires(…)`` or ``public()``: at a function, a class, a handler, or an ``as_view()``.

A declared view also refuses to run where nobody decided about its request, or about another operation
than the one it serves: then the rules and Django's router disagree, and nobody checked what is about to happen.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from itertools import count
from typing import Any, Literal, TypeVar

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.views import View

from scopekey.core.requirement import Requirement
from scopekey.core.rules import METHOD, Mode
from scopekey.enforce.asgi import SCOPE_KEY
from scopekey.enforce.routes.declaration import Declaration, holds, requirement_of
from scopekey.enforce.wsgi import ENVIRON_KEY
from scopekey.replica.event import Event

EVENT = "scopekey"
"""The attribute of a request where a view finds what was decided about it: `request.scopekey.decision`."""
TABLE = "scopekey_table"
"""The attribute of a request where the middleware leaves the table that it was decided by."""

MISROUTED = (
    "The view that was reached is not the operation that was decided, so it was not run. Guard Django with "
    "scopekey.enforce.django.ScopekeyMiddleware, first in MIDDLEWARE, and let nothing behind it change the path, "
    "the method or the URLconf of a request."
)
_MARK = "__scopekey_declared_"
_numbers = count()

ViewFunction = TypeVar("ViewFunction", bound=Callable[..., Any])


class Declared(Declaration):
    """A declaration as a decorator. `methods` are those it speaks of, None for all that the view answers."""

    def __init__(
        self, requirement: Requirement | None, object_name: str | None, mode: Mode, methods: Iterable[str] | str | None
    ) -> None:
        super().__init__(requirement, object_name, mode)
        self.methods: frozenset[str] | None = (
            None if methods is None else frozenset((methods,) if isinstance(methods, str) else methods)
        )
        for method in self.methods or ():
            if not METHOD.fullmatch(method):
                raise ValueError(f"{method!r} is no method of HTTP: write it in upper case, as in methods=['GET']")
        # A name of its own: Django's method_decorator joins the attributes of decorators by name.
        self._mark = f"{_MARK}{next(_numbers)}"

    def speaks_of(self, method: str) -> bool:
        """Tell whether this is declared for a method."""
        return self.methods is None or method in self.methods

    def __call__(self, view: ViewFunction) -> ViewFunction:
        """Mark a view, or the handler of a class, and let it refuse what was not decided about it."""
        if isinstance(view, type):
            raise TypeError(
                f"{view.__name__} is a class: decorate its handlers, or the class with "
                "@method_decorator(requires(…), name='dispatch')"
            )
        guarded: Any = self._over_async(view) if iscoroutinefunction(view) else self._over_sync(view)
        setattr(guarded, self._mark, self)
        return guarded  # type: ignore[no-any-return] # a wrapper takes what the view takes

    def _over_sync(self, view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._insist(args)
            return view(*args, **kwargs)

        return guarded

    def _over_async(self, view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            self._insist(args)
            return await view(*args, **kwargs)

        return guarded

    def _insist(self, args: Sequence[Any]) -> None:
        # A handler of a class gets its view first. Raised, for who is to await the answer could not await a refusal.
        request = args[1] if isinstance(args[0], View) else args[0]
        if not is_decided(request, self):
            raise ImproperlyConfigured(MISROUTED)


def requires(
    *permissions: str,
    any_of: Sequence[str | Sequence[str]] | None = None,
    object: str | None = None,  # noqa: A002 - the word of the rules file
    mode: Literal["enforce", "report"] = "enforce",
    methods: Iterable[str] | str | None = None,
) -> Declared:
    """Declare what a view needs: all of these permissions, and one of the sets in `any_of`.

    Decorates a function, sync or async, a class's handler, or what `as_view()` gives; a class through
    `method_decorator(requires(…), name="dispatch")`. Several of them add up, each for its `methods`; without any it
    speaks of all that the view answers, which for a function is every common method. A method that nobody speaks
    of is refused.

    `requires()` is met by any live key, `requires(any_of=[])` by nobody. `object` names the path parameter that
    names the object, for the audit log; `mode="report"` forgives a missing permission. Raises
    InvalidPermissionError for what is not `resource:level`, ValueError for another mode or method.
    """
    return Declared(requirement_of(permissions, any_of), object, Mode(mode), methods)


def public(*, methods: Iterable[str] | str | None = None) -> Declared:
    """Declare that a view is open to everybody, without a key, with these methods or with all that it answers."""
    return Declared(None, None, Mode.ENFORCE, methods)


def declared_by(view: Any) -> tuple[Declared, ...]:
    """Every declaration attached to a view or a handler; none where nobody attached any."""
    attributes = getattr(view, "__dict__", {})
    return tuple(found for name, found in attributes.items() if name.startswith(_MARK) and isinstance(found, Declared))


def is_decided(request: Any, declared: Declared) -> bool:
    """Tell whether the view this request was routed to is the operation its event decided, under this declaration."""
    event, table = event_of(request), getattr(request, TABLE, None)
    if event is None or not event.proceeds or event.match is None:
        return False
    if table is not None and not table.is_decided(request):
        return False
    if not declared.speaks_of(event.match.operation.method):
        return True
    # Rules from elsewhere, behind the plain middlewares: at least what is declared here must be held.
    return declared in table.counted(request) if table is not None else holds(event, declared)


def event_of(request: Any) -> Event | None:
    """What was decided about a request, by the middleware or by one around Django."""
    outside = getattr(request, "scope", None) or getattr(request, "environ", None) or {}
    event = getattr(request, EVENT, None) or outside.get(SCOPE_KEY) or outside.get(ENVIRON_KEY)
    return event if isinstance(event, Event) else None
