"""The header fields of a request that a check looks at, taken in one pass."""

from collections.abc import Collection, Iterable

Fields = dict[bytes, bytes | None]
"""Values by lower-case name; None where a field stands more than once, and so says nothing."""


def fields_of(headers: Iterable[tuple[bytes, bytes]], looked_at: Collection[bytes]) -> Fields:
    """Take these fields of raw headers, whose names are lower-case."""
    found: Fields = {}
    for name, value in headers:
        if name in looked_at:
            found[name] = None if name in found else value
    return found
