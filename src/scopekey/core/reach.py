"""The reach of a grant: the operations it opens, which is the blast radius of a key."""

import msgspec

from scopekey.core.grant import Register
from scopekey.core.requirement import need
from scopekey.core.rules import Operation, Rules


class Reach(msgspec.Struct, frozen=True):
    """The operations that are open to a grant; the public ones are open to anybody and stand apart."""

    open: tuple[Operation, ...]
    closed: tuple[Operation, ...]
    public: tuple[Operation, ...]


def reach(rules: Rules, register: Register, grant: int) -> Reach:
    """List what a grant opens and what it does not, in the table's order.

    Operations whose templates cross are judged each by its own requirement.
    """
    held = register.effective(grant)
    opened: list[Operation] = []
    closed: list[Operation] = []
    public: list[Operation] = []
    for rule in rules.rules:
        if rule.requirement is None:
            public.append(rule.operation)
        elif need(rule.requirement, register).satisfied(held) is None:
            closed.append(rule.operation)
        else:
            opened.append(rule.operation)
    return Reach(tuple(opened), tuple(closed), tuple(public))
