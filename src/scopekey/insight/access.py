"""Who may pass: what a table makes of a request, in a form in which two tables can be compared exactly.

Requirements are monotone: nothing that is held takes anything away. So it is enough to look at the
smallest grants that pass one table, and ask whether they pass the other.
"""

from collections.abc import Iterator
from itertools import product

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


def passes_also(access: Access, register: Register, other: Access, other_register: Register) -> bool:
    """Tell whether everybody who passes the one passes the other one too. Each is read under its register."""
    if other.public:
        return True
    if access.public:
        return False
    return all(
        other.lets(other_register.effective(held))
        for mask in access.masks
        for held in _smallest(mask, register, other_register)
    )


def _smallest(mask: int, register: Register, other: Register) -> Iterator[int]:
    """The smallest grants that hold a mask: where two catalogs imply alike, the mask itself is the hardest case."""
    if _implies_alike(register, other):
        yield mask
        return
    ways = [_bringing(1 << bit, register) for bit in range(mask.bit_length()) if mask >> bit & 1]
    count = 1
    for way in ways:
        count *= len(way)
    if count > _MOST:
        # Nothing held passes only what lets everybody with a key pass: the careful answer.
        yield 0
        return
    for chosen in product(*ways):
        held = 0
        for bit in chosen:
            held |= bit
        yield held


def _bringing(bit: int, register: Register) -> list[int]:
    return [1 << other for other in register.bits.values() if register.effective(1 << other) & bit]


def _implies_alike(register: Register, other: Register) -> bool:
    if register is other:
        return True
    bits = {*register.bits.values(), *other.bits.values()}
    return all(register.effective(1 << bit) == other.effective(1 << bit) for bit in bits)
