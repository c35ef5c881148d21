"""The least grant: the fewest permissions that open a list of calls, and why each one is needed.

Exact. Where a requirement has alternatives they are weighed against each other over all the calls:
fewest permissions first, then fewest opened operations, then the order of the names.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from scopekey.core.grant import Register
from scopekey.core.matcher import Match
from scopekey.core.permission import Permission
from scopekey.core.reach import reach
from scopekey.core.requirement import Need
from scopekey.core.rules import Rules


class Call(NamedTuple):
    """One call as it was asked about, and what the rules make of it; no match where it is not listed."""

    text: str
    match: Match | None

    @property
    def public(self) -> bool:
        """Tell whether it is open to anybody."""
        return self.match is not None and self.match.need is None

    @property
    def closed(self) -> bool:
        """Tell whether no key can be made for it: it is not listed, or closed to everybody."""
        return self.match is None or (self.match.need is not None and not self.match.need.masks)


class Reason(msgspec.Struct, frozen=True):
    """One permission of a least grant, and the calls that would be refused without it."""

    permission: Permission
    calls: tuple[str, ...]


class Least(msgspec.Struct, frozen=True):
    """The least grant: its permissions with their calls, how many operations it opens, and what no grant opens."""

    reasons: tuple[Reason, ...]
    opened: int
    public: tuple[str, ...]
    closed: tuple[str, ...]

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """The permissions, in the order of the catalog."""
        return tuple(reason.permission for reason in self.reasons)


def least(rules: Rules, register: Register, calls: Sequence[Call]) -> Least:
    """Find the smallest grant that opens every call that a key can open."""
    wanted = [call for call in calls if not call.public and not call.closed]
    needs = _distinct(call.match.need for call in wanted if call.match and call.match.need)
    found = _Search(register, needs).smallest()
    grant = min(found, key=lambda mask: (_opened(rules, register, mask), register.names(mask)))
    return Least(
        reasons=tuple(_reason(register, permission, grant, wanted) for permission in register.permissions(grant)),
        opened=_opened(rules, register, grant),
        public=tuple(call.text for call in calls if call.public),
        closed=tuple(call.text for call in calls if call.closed),
    )


class _Search:
    """Every smallest mask that satisfies all needs, by trying the ways to satisfy one need after the other."""

    def __init__(self, register: Register, needs: list[Need]) -> None:
        self._register = register
        self._needs = needs
        # What brings a bit along: itself, and with a catalog that has `implies` what implies it.
        self._brings = {1 << bit: register.effective(1 << bit) for bit in register.bits.values()}
        self._best = sum(max(mask.bit_count() for mask in need.masks) for need in needs)
        self._seen: set[int] = set()
        self._found: set[int] = set()

    def smallest(self) -> set[int]:
        """Search; without needs the empty grant is enough."""
        self._extend(0)
        return {mask for mask in self._found if mask.bit_count() == self._best}

    def _extend(self, mask: int) -> None:
        if mask in self._seen or mask.bit_count() > self._best:
            return
        self._seen.add(mask)
        effective = self._register.effective(mask)
        open_need = next((need for need in self._needs if need.satisfied(effective) is None), None)
        if open_need is None:
            self._best = mask.bit_count()
            self._found.add(mask)
            return
        for alternative in open_need.masks:
            # Some way to get the lowest lacking bit is part of every way to satisfy this alternative.
            lacking = alternative & ~effective
            lowest = lacking & -lacking
            for bit, brings in self._brings.items():
                if brings & lowest:
                    self._extend(mask | bit)


def _distinct(needs: Iterable[Need]) -> list[Need]:
    """Each need once, those with the fewest ways first: they leave the least to try."""
    by_masks = {need.masks: need for need in needs}
    return sorted(by_masks.values(), key=lambda need: (len(need.masks), need.masks))


def _reason(register: Register, permission: Permission, grant: int, calls: Sequence[Call]) -> Reason:
    without = register.effective(grant & ~register.mask((permission,)))
    refused = (
        call.text for call in calls if call.match and call.match.need and call.match.need.satisfied(without) is None
    )
    return Reason(permission, tuple(dict.fromkeys(refused)))


def _opened(rules: Rules, register: Register, mask: int) -> int:
    return len(reach(rules, register, mask).open)
