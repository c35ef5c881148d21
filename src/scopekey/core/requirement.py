"""What an operation needs: any one of several sets of permissions, each set needed whole."""

from itertools import product

import msgspec

from scopekey.core.grant import Register
from scopekey.core.permission import Permission


class Requirement(msgspec.Struct, frozen=True):
    """Alternatives, in the order they were written.

    `((),)` is met by any live key; `()` by nobody: an empty policy means no.
    """

    any_of: tuple[tuple[Permission, ...], ...]

    @classmethod
    def all_of(cls, *permissions: Permission) -> "Requirement":
        """Every one of these; none at all is met by any live key."""
        return cls((permissions,))

    def both(self, other: "Requirement") -> "Requirement":
        """This one and the other one: every pair of alternatives, joined."""
        joined = (tuple(dict.fromkeys(mine + theirs)) for mine, theirs in product(self.any_of, other.any_of))
        return Requirement(tuple(dict.fromkeys(joined)))

    def names(self) -> list[list[str]]:
        """The alternatives as lists of names."""
        return [[str(permission) for permission in alternative] for alternative in self.any_of]

    def __str__(self) -> str:
        """Permissions of one alternative separated by `, `, alternatives by `; `."""
        return "; ".join(", ".join(alternative) for alternative in self.names())


class Need(msgspec.Struct, frozen=True):
    """A requirement with its masks under one register: what a decision reads.

    `observes` tells that each alternative only looks; `intended` is the level and the resource group
    of each permission of the first alternative, for the audit log; `words` is the requirement as it is told,
    `told` each alternative alone, as bytes of a header field, and `names` all of them for a record.
    """

    requirement: Requirement
    masks: tuple[int, ...]
    observes: bool = False
    intended: tuple[tuple[str, str], ...] = ()
    words: str = ""
    told: tuple[bytes, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()

    def satisfied(self, held: int) -> int | None:
        """The position of the first alternative that is held whole, or None."""
        masks = self.masks
        # The first alternative is nearly always the only one.
        if masks and masks[0] & held == masks[0]:
            return 0
        return self._first_other(held)

    def _first_other(self, held: int) -> int | None:
        return next((at for at, mask in enumerate(self.masks) if mask & held == mask), None)

    def missing(self, held: int, register: Register) -> tuple[Permission, ...]:
        """The fewest permissions that would satisfy it; of equally short ways the first written.

        `held` has everything implied, and what a missing one would bring along is not missing beside it.
        """
        lacking = [register.barest(mask & ~held) for mask in self.masks]
        return register.permissions(min(lacking, key=int.bit_count)) if lacking else ()


ANY_LIVE_KEY = Need(Requirement(((),)), (0,))


def need(requirement: Requirement, register: Register) -> Need:
    """Compile a requirement. Raises KeyError for a permission the catalog does not have."""
    catalog = register.catalog
    permissions = [permission for alternative in requirement.any_of for permission in alternative]
    first = requirement.any_of[0] if requirement.any_of else ()
    return Need(
        requirement=requirement,
        masks=tuple(register.mask(alternative) for alternative in requirement.any_of),
        # A requirement of nothing says nothing about what is done: it does not count as looking.
        observes=bool(permissions) and all(catalog.observing(permission) for permission in permissions),
        intended=tuple(dict.fromkeys((p.level, catalog.resource(p).group) for p in first)),
        words=str(requirement),
        names=tuple(map(tuple, requirement.names())),
        told=tuple(", ".join(map(str, alternative)).encode() for alternative in requirement.any_of),
    )
