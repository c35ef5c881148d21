"""Who may pass: what a table makes of a request, in a form in which two tables can be compared exactly.

Requirements are monotone: nothing that is held takes anything away. So it is enough to look at the
smallest grants that pass one table, and ask whether they pass the other.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from itertools import product
from math import prod
from operator import or_

import msgspec

from scopekey.core.grant import Register
from scopekey.core.matcher import Match

# Combinations of implying levels that are tried for one alternative; past it the answer is the careful one.
_MOST = 4096


class Access(msgspec.Struct, frozen=True):
    """Who passes: anybody, or who holds one of these masks whole. No mask at all: nobody.

    `(0,)` is any live key, which is also what a rule that only reports comes to.
    """

    public: bool
    masks: tuple[int, ...] = ()

    @classmethod
    def of(cls, match: Match | None) -> "Access":
        """Read what a table says of a request; an unlisted one is nobody's."""
        if match is None:
            return NOBODY
        if match.need is None:
            return cls(public=True)
        return cls(public=False, masks=(0,) if match.report else match.need.masks)

    def lets(self, effective: int) -> bool:
        """Tell whether a live key that holds this passes."""
        return self.public or any(mask & effective == mask for mask in self.masks)


NOBODY = Access(public=False)


def contained(access: Access, other: Access, effective: Callable[[int], int]) -> bool:
    """Tell whether everybody who passes the one passes the other one; `effective` adds what a grant implies."""
    if access.public or other.public:
        return other.public
    return all(other.lets(effective(mask)) for mask in access.masks)


class Passage:
    """From one register to another: whether who passes under the first passes under the second.

    `old` is the one of the two that keys were issued under: what only the newer one has is held by
    nobody yet, and a new level that implies an old one widens nothing.
    """

    def __init__(self, register: Register, other: Register, old: Register) -> None:
        self._register = register
        self._other = other
        self._held = frozenset(old.bits.values())
        bits = {*register.bits.values(), *other.bits.values()}
        # Where both imply alike, a mask itself is the hardest of the grants that come to hold it.
        self._alike = all(register.effective(1 << bit) == other.effective(1 << bit) for bit in bits)

    def kept(self, access: Access, other: Access) -> bool:
        """Tell whether everybody who passes the one, under the first register, passes the other under the second."""
        if self._alike or access.public or other.public:
            return contained(access, other, self._other.effective)
        held = (grant for mask in access.masks for grant in self._smallest(mask))
        return all(other.lets(self._other.effective(grant)) for grant in held)

    def _smallest(self, mask: int) -> Iterator[int]:
        """The smallest grants that come to hold a mask: of each of its permissions itself, or one that implies it."""
        ways = [self._bringing(1 << bit) for bit in range(mask.bit_length()) if mask >> bit & 1]
        if prod(map(len, ways)) > _MOST:
            # A grant of nothing passes only where any live key does: the careful answer.
            yield 0
            return
        for chosen in product(*ways):
            yield reduce(or_, chosen, 0)

    def _bringing(self, bit: int) -> list[int]:
        brought = (1 << other for other in self._held if self._register.effective(1 << other) & bit)
        return list({bit, *brought})
