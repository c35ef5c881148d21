"""What one route declares: what it needs, or that it is public. Frameworks differ in how it is attached to a route."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode
from scopekey.replica.event import Event

_ATTRIBUTE = "__scopekey__"

Function = TypeVar("Function", bound=Callable[..., Any])


class Declaration:
    """What one declaration says; `requirement` is None for public."""

    def __init__(self, requirement: Requirement | None, object_name: str | None, mode: Mode) -> None:
        self.requirement = requirement
        self.object = object_name
        self.mode = mode


def requirement_of(permissions: Sequence[str], any_of: Sequence[str | Sequence[str]] | None) -> Requirement:
    """All of these permissions, and one of the sets in `any_of` where it is given.

    Raises InvalidPermissionError for what is not `resource:level`.
    """
    requirement = Requirement.all_of(*map(Permission.parse, permissions))
    if any_of is not None:
        sets = ([alternative] if isinstance(alternative, str) else alternative for alternative in any_of)
        requirement = requirement.both(Requirement(tuple(tuple(map(Permission.parse, names)) for names in sets)))
    return requirement


def mark(function: Function, declaration: Declaration) -> Function:
    """Attach a declaration to a function; wrappers made with `functools.wraps` carry it on."""
    setattr(function, _ATTRIBUTE, (*declared_by(function), declaration))
    return function


def declared_by(function: Any) -> tuple[Declaration, ...]:
    """Every declaration attached to a function; none where nobody attached any."""
    found = getattr(function, _ATTRIBUTE, ())
    return found if isinstance(found, tuple) else ()


def is_decided(
    event: object, served: Mapping[Any, frozenset[str]] | None, at: Any, declared: Declaration | None
) -> bool:
    """Tell whether the route that was reached is the operation that was decided.

    `served` is the table's, asked at the place `at`; None where the rules came from elsewhere: then at least what
    is declared must be held.
    """
    if not isinstance(event, Event) or not event.proceeds or event.match is None:
        return False
    if served is not None:
        return event.operation in served.get(at, ())
    return declared is not None and holds(event, declared)


def holds(event: Event, declaration: Declaration) -> bool:
    """Tell whether the caller of an event holds what is declared, whatever rules it was decided by."""
    key, register = event.decision.key, event.register
    if declaration.requirement is None or declaration.mode is Mode.REPORT:
        return True
    if key is None or register is None:
        return False
    held = set(register.permissions(register.effective(key.held(event.at))))
    return any(held.issuperset(alternative) for alternative in declaration.requirement.any_of)
