"""Assertions on decisions and on rules; one that fails shows what was decided, or what the rules are."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from scopekey.core.decision import DenialReason
from scopekey.core.rules import Rule, Rules
from scopekey.testing.decided import Decided
from scopekey.testing.keys import Keys

# pytest leaves a frame with this name out of its tracebacks, so that they end at the caller's line.
__tracebackhide__ = True

Needed = str | Sequence[str]


def assert_allowed(keys: Keys, operation: str | None = None, *, used: Needed | None = None) -> Decided:
    """The last call was allowed; with arguments, as this operation, and by exactly these permissions.

    `operation` is written as in the rules, `GET /datasets/{id}`; `used` is one permission or several. A call that
    only report-only mode let through was not allowed. Gives the decision.
    """
    __tracebackhide__ = True
    last = keys.last
    if not last.allowed:
        raise _wrong("the last call was not allowed", keys)
    _same_operation(operation, keys)
    if used is not None and set(_names(used)) != set(last.used):
        raise _wrong(f"the last call did not use {_text(used)}", keys)
    return last


def assert_refused(
    keys: Keys, operation: str | None = None, *, missing: Needed | None = None, code: str | None = None
) -> Decided:
    """The last call was refused; with arguments, as this operation, for want of exactly these permissions, with this
    code.

    A call that report-only mode let through counts as refused: so is its record. Gives the decision.
    """
    __tracebackhide__ = True
    last = keys.last
    if last.allowed:
        raise _wrong("the last call was not refused", keys)
    _same_operation(operation, keys)
    if missing is not None and set(_names(missing)) != set(last.missing):
        raise _wrong(f"the last call was not refused for want of {_text(missing)}", keys)
    if code is not None and code != last.code:
        raise _wrong(f"the last call was not refused with {code}", keys)
    return last


def used_permissions(keys: Keys) -> set[str]:
    """The permissions that all allowed calls so far have used: what a key for exactly these calls must hold."""
    return {name for decided in keys.decisions for name in decided.used}


def assert_needs(keys: Keys, call: Callable[[dict[str, str]], object], *permissions: str) -> None:
    """A call needs these permissions, each of them and no other.

    `call` is given the header fields of a key and makes one request or several. It is made with a key that holds
    exactly these, which must be allowed throughout, and once for each with all the others, which must be
    refused somewhere for want of it.
    """
    __tracebackhide__ = True
    refused = [decided for decided in _made(keys, call, permissions) if not decided.allowed]
    if refused:
        raise AssertionError(f"{_text(permissions)} is not enough:\n  {refused[0]}")
    for left_out in permissions:
        others = tuple(name for name in permissions if name != left_out)
        made = _made(keys, call, others)
        if not any(decided.code == DenialReason.MISSING_PERMISSION for decided in made):
            raise AssertionError(f"{left_out} is not needed: without it\n{_lines(made)}")


def assert_requires(
    rules: Rules | Keys, operation: str, *permissions: str, any_of: Sequence[Needed] | None = None
) -> None:
    """An operation of the table needs these permissions, all of them; with `any_of` one of these sets.

    `rules` are an application's own (`rules_of(app)`), or keys, for the applied ones. With no permission at
    all any live key will do.
    """
    __tracebackhide__ = True
    rule = _rule(rules, operation)
    wanted = [set(permissions)] if any_of is None else [set(_names(names)) for names in any_of]
    found = None if rule.requirement is None else [set(names) for names in rule.requirement.names()]
    if found is None or sorted(map(sorted, found)) != sorted(map(sorted, wanted)):
        raise AssertionError(f"{operation} does not need {'; '.join(map(_text, wanted))}: it {_needed(rule)}")


def assert_public(rules: Rules | Keys, operation: str) -> None:
    """An operation of the table is open to everybody, without a key."""
    __tracebackhide__ = True
    rule = _rule(rules, operation)
    if not rule.public:
        raise AssertionError(f"{operation} is not public: it {_needed(rule)}")


def _rule(rules: Rules | Keys, operation: str) -> Rule:
    __tracebackhide__ = True
    table = rules.index.rules() if isinstance(rules, Keys) else rules
    found = {str(rule.operation): rule for rule in (table.rules if table else ())}
    if operation not in found:
        close = get_close_matches(operation, found, n=3, cutoff=0.3)
        raise AssertionError(f"no rule lists {operation}; nearest are {', '.join(close) or 'none at all'}")
    return found[operation]


def _needed(rule: Rule) -> str:
    if rule.requirement is None:
        return "is public"
    alternatives = [", ".join(names) or "any live key" for names in rule.requirement.names()]
    return f"needs {'; '.join(alternatives)}" if alternatives else "is open to nobody"


def _made(keys: Keys, call: Callable[[dict[str, str]], object], permissions: tuple[str, ...]) -> list[Decided]:
    __tracebackhide__ = True
    before = len(keys.events)
    call(keys.headers(*permissions))
    made = keys.decisions[before:]
    if not made:
        raise AssertionError(
            "the call made no request that was decided with these keys: is the application guarded with them?"
        )
    return made


def _same_operation(operation: str | None, keys: Keys) -> None:
    __tracebackhide__ = True
    if operation is not None and operation != keys.last.operation:
        raise _wrong(f"the last call was not {operation}", keys)


def _wrong(what: str, keys: Keys) -> AssertionError:
    return AssertionError(f"{what}:\n  {keys.last}")


def _lines(made: Sequence[Decided]) -> str:
    return "\n".join(f"  {decided}" for decided in made)


def _names(needed: Needed) -> Sequence[str]:
    return [needed] if isinstance(needed, str) else needed


def _text(needed: Needed | set[str]) -> str:
    return ", ".join(sorted([needed] if isinstance(needed, str) else needed)) or "any live key"
