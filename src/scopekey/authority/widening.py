"""What an applied difference would open: to be said before it is done, and allowed in so many words.

A widening is something made public, a cheaper requirement, a permission that brings more along, or
one that comes back under a name that keys once held.
"""

from collections.abc import Iterator

from scopekey.core.grant import Register
from scopekey.core.permission import Permission
from scopekey.core.problem import ProblemError
from scopekey.core.rules import Rules
from scopekey.insight.diff import Difference, Kind, widenings
from scopekey.insight.kinds_of_path import TooManyKindsError


def widened_by_rules(before: Rules, after: Rules, register: Register) -> list[str]:
    """Say what other rules would open. The first rules ever widen nothing: everything was closed."""
    return list(_compared(before, after, register, register)) if before.rules else []


def widened_by_catalog(before: Register, after: Register, rules: Rules) -> list[str]:
    """Say what another catalog would open. The first catalog ever widens nothing: there was none to hold."""
    if not before.catalog.resources:
        return []
    return [
        *_compared(rules, rules, before, after),
        *_brought_along(before, after),
        *_aliased(before, after),
        *(f"{name} comes back: it gets a new bit, which no key holds" for name in _returned(before, after)),
    ]


def refuse_widening(widened: list[str]) -> None:
    """Refuse what was not allowed. Raises ProblemError `conflict` with everything that it would open."""
    if widened:
        raise ProblemError(
            "conflict",
            "This widens access: " + "; ".join(widened) + ". Apply it with --allow-widening if that is meant.",
            widened=widened,
        )


def _compared(before: Rules, after: Rules, old: Register, new: Register) -> Iterator[str]:
    try:
        found = widenings(before, after, old, new)
    except TooManyKindsError as error:
        yield f"the rules cannot be compared ({error})"
        return
    yield from dict.fromkeys(str(difference) for difference in found if _opens(difference))


def _opens(difference: Difference) -> bool:
    """A new operation was closed to all, and what it is now is a first decision: only a public one is told."""
    return difference.kind is not Kind.NEW or difference.access[1].public


def _brought_along(before: Register, after: Register) -> Iterator[str]:
    """Permissions that imply more than they did, whether or not a rule asks for it yet."""
    for name, permission in after.catalog.permissions.items():
        was = before.catalog.permissions.get(name)
        if was is not None:
            implied = set(after.catalog.implied(permission)) - set(before.catalog.implied(was))
            yield from (f"{name} brings {more} along" for more in sorted(map(str, implied)))


def _aliased(before: Register, after: Register) -> Iterator[str]:
    for own, resource in after.catalog.own.items():
        if before.catalog.own.get(own) != resource and _existed(resource, before):
            yield f"{resource} guards scopekey_{own} too: whoever holds it manages those"


def _existed(resource: str, register: Register) -> bool:
    return any(Permission.parse(name).resource == resource for name in register.bits)


def _returned(before: Register, after: Register) -> list[str]:
    return [name for name in before.retired if name in after.bits]
