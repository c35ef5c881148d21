"""A grant: the set of permissions a key holds, and the bits that make it one integer.

Additive: a grant is a set, its order never matters, and there is nothing in it that could deny.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scopekey.core.catalog import Catalog
from scopekey.core.permission import Permission

Grant = frozenset[Permission]

# Keys share few distinct grants; the bound only keeps a hostile mix from growing the copies.
_MOST_UNPACKED = 4096


@dataclass(frozen=True, slots=True)
class Register:
    """A catalog whose permissions have their bits.

    A permission's bit is given once, in the order of first registration, and never reused: keys
    already issued carry it. `next_bit` counts every bit ever given, also those of permissions that
    the catalog no longer has; `retired` are their names, in order.
    """

    catalog: Catalog
    bits: dict[str, int]
    next_bit: int
    retired: tuple[str, ...] = ()
    all: int = field(init=False, repr=False, compare=False)
    """Every permission of the catalog, as a mask."""
    _table: tuple[tuple[int, Permission], ...] = field(init=False, repr=False, compare=False)
    _closure: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    _unpacked: dict[int, tuple[Permission, ...]] = field(init=False, repr=False, compare=False)
    _named: dict[int, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    @classmethod
    def first(cls, catalog: Catalog) -> "Register":
        """Register a catalog that no key was issued under yet."""
        return register(catalog, None)

    def __post_init__(self) -> None:
        permissions = self.catalog.permissions
        table = sorted((bit, permissions[name]) for name, bit in self.bits.items())
        closure = {
            1 << bit: sum(1 << self.bits[str(implied)] for implied in self.catalog.implied(permission))
            for bit, permission in table
        }
        derived: dict[str, object] = {
            "all": sum(1 << bit for bit, _ in table),
            "_table": tuple(table),
            "_closure": tuple((bit, brings) for bit, brings in closure.items() if brings),
            "_unpacked": {},
            "_named": {},
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def mask(self, permissions: Iterable[Permission]) -> int:
        """Pack permissions of this catalog into an integer. Raises KeyError for one it does not have."""
        mask = 0
        for permission in permissions:
            mask |= 1 << self.bits[str(permission)]
        return mask

    def parse(self, names: Iterable[str]) -> int:
        """Pack permissions given by name, aliases included. Raises UnknownPermissionError."""
        return self.mask(self.catalog.permission(name) for name in names)

    def permissions(self, mask: int) -> tuple[Permission, ...]:
        """Unpack a mask, in the order of the bits. Bits of permissions that are gone mean nothing."""
        unpacked = self._unpacked
        found = unpacked.get(mask)
        if found is None:
            found = tuple(permission for bit, permission in self._table if mask >> bit & 1)
            if len(unpacked) >= _MOST_UNPACKED:
                unpacked.clear()
            unpacked[mask] = found
        return found

    def names(self, mask: int) -> tuple[str, ...]:
        """Unpack a mask into names."""
        named = self._named
        found = named.get(mask)
        if found is None:
            found = tuple(str(permission) for permission in self.permissions(mask))
            if len(named) >= _MOST_UNPACKED:
                named.clear()
            named[mask] = found
        return found

    def effective(self, mask: int) -> int:
        """Add what the held permissions imply. The default catalog implies nothing, and this is `mask`."""
        for bit, brings in self._closure:
            if mask & bit:
                mask |= brings
        return mask & self.all

    def barest(self, mask: int) -> int:
        """Leave out what another permission of the mask brings along: whoever holds the rest holds all of it."""
        for bit, brings in self._closure:
            if mask & bit:
                # Levels that imply one another in a circle bring each other: the first one stays.
                mask &= ~brings
        return mask


def register(catalog: Catalog, previous: Register | None) -> Register:
    """Give every permission of a catalog its bit: the one it has, or the next that nobody ever had.

    A permission that was removed and comes back gets a new bit, so that keys which held the old one
    do not silently hold it again. Where `own` joins or parts two names, the bit goes with one of
    them alone: the one it was written under, if the catalog still has it.
    """
    bits: dict[str, int] = {}
    next_bit = previous.next_bit if previous else 0
    for name in catalog.permissions:
        kept = _previous_bit(name, catalog, previous) if previous else None
        if kept is None:
            kept, next_bit = next_bit, next_bit + 1
        bits[name] = kept
    before = {*previous.bits, *previous.retired} if previous else set()
    return Register(catalog, bits, next_bit, tuple(sorted(before - bits.keys())))


def _previous_bit(name: str, catalog: Catalog, previous: Register) -> int | None:
    """Find the bit a permission already has: its own, or that of the alias that `own` gave or took."""
    if name in previous.bits:
        return previous.bits[name]
    # Another permission that goes on under its own name keeps its bit: sharing it would join the two.
    aliases = (alias for alias in _aliases(name, catalog, previous) if alias not in catalog.permissions)
    return next((previous.bits[alias] for alias in aliases if alias in previous.bits), None)


def _aliases(name: str, catalog: Catalog, previous: Register) -> Iterator[str]:
    resource, _, level = name.partition(":")
    for own, alias in previous.catalog.own.items():
        if resource == f"scopekey_{own}":
            yield f"{alias}:{level}"
    for own, alias in catalog.own.items():
        if resource == alias:
            yield f"scopekey_{own}:{level}"
