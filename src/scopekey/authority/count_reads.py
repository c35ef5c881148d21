"""Allowed reads, counted instead of kept one by one: for logs that are to stay small (``AUDIT_READS=counted``).

What was refused, what was forgiven and what changes anything is always an entry of its own.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec

from scopekey.audit.entry import NONCE_SIZE, Entry, canonical, read_entry
from scopekey.core.grant import Register
from scopekey.core.permission import Permission

MINUTE = 60_000

# The organization of a key, the group of a permission and whether it observes follow from these.
_Alike = tuple[str | None, int | None, str | None, tuple[str, ...], str | None, bool | None, int]


def counted_bodies(bodies: Sequence[bytes], register: Register | None, random: Callable[[int], bytes]) -> list[bytes]:
    """The same with entries as their canonical bytes; what a permission is for, the applied catalog says."""
    observing: set[str] = set()
    if register is not None:
        observing = {name for name in register.bits if register.catalog.observing(Permission.parse(name))}
    return [canonical(entry) for entry in count_reads(map(read_entry, bodies), observing, random)]


def count_reads(
    entries: Iterable[Entry], observing: Collection[str], random: Callable[[int], bytes]
) -> Iterator[Entry]:
    """Give the entries, allowed uses of `observing` permissions alone as one for all that are alike.

    Alike are those of one minute with one key and secret, operation, permissions used and node. The entry of kind
    `reads` stands where the last of them was seen at the latest; its `at` is the last one's, `first` the first one's.
    """
    counted: dict[_Alike, list[Entry]] = {}
    for entry in entries:
        if _is_read(entry, observing):
            counted.setdefault(_alike(entry), []).append(entry)
        else:
            yield entry
    for alike in counted.values():
        yield _as_one(alike, random)


def _is_read(entry: Entry, observing: Collection[str]) -> bool:
    return bool(
        entry.kind == "decision"
        and entry.allowed
        and entry.used
        and all(permission in observing for permission in entry.used)
    )


def _alike(entry: Entry) -> _Alike:
    used = tuple(entry.used or ())
    return entry.key, entry.secret, entry.operation, used, entry.node, entry.stale, entry.at // MINUTE


def _as_one(alike: list[Entry], random: Callable[[int], bytes]) -> Entry:
    times = [entry.at for entry in alike]
    # Where from, which object and which request differ from one to the next: they are what is given up.
    return msgspec.structs.replace(
        alike[0],
        nonce=random(NONCE_SIZE).hex(),
        kind="reads",
        at=max(times),
        first=min(times),
        count=len(alike),
        address=None,
        object=None,
        request_id=None,
        position=max(entry.position or 0 for entry in alike),
        age=max(entry.age or 0 for entry in alike),
    )
