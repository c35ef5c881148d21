"""What one route declares: what it needs, or that it is public. Frameworks differ in how it is attached to a route."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

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


def requires(
    *permissions: str,
    any_of: Sequence[str | Sequence[str]] | None = None,
    object: str | None = None,  # noqa: A002 - the word of the rules file
    mode: Literal["enforce", "report"] = "enforce",
) -> Declaration:
    """Declare what a route needs: all of these permissions, and one of the sets in `any_of`.

    Nothing at all is met by any live key, `any_of=[]` by nobody. `object` names the path parameter that names the
    object, for the audit log; `mode="report"` forgives a missing permission. Raises InvalidPermissionError for
    what is not `resource:level`, ValueError for another mode.
    """
    return Declaration(requirement_of(permissions, any_of), object, Mode(mode))


def public() -> Declaration:
    """Declare that a route is open to everybody, without a key."""
    return Declaration(None, None, Mode.ENFORCE)


def mark(function: Function, declaration: Declaration) -> Function:
    """Attach a declaration to a function; wrappers made with `functools.wraps` carry it on."""
    setattr(function, _ATTRIBUTE, (*declared_by(function), declaration))
    return function


def declared_by(function: Any) -> tuple[Declaration, ...]:
    """Every declaration attached to a function; none where nobody attached any."""
    found = getattr(function, _ATTRIBUTE, ())
    return found if isinstance(found, tuple) else ()


def holds(event: Event, declaration: Declaration) -> bool:
    """Tell whether the caller of an event holds what is declared, whatever rules it was decided by."""
    key, register = event.decision.key, event.register
    if declaration.requirement is None or declaration.mode is Mode.REPORT:
        return True
    if key is None or register is None:
        return False
    held = set(register.permissions(register.effective(key.held(event.at))))
    return any(held.issuperset(alternative) for alternative in declaration.requirement.any_of)
