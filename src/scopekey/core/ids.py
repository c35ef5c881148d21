"""The names of things: ids of keys, organizations and peppers, as types of their own."""

import re
from typing import NewType

KeyId = NewType("KeyId", str)
"""``key_`` and 12 base62 characters; public, stays the same through rotations."""

OrganizationId = NewType("OrganizationId", str)
"""``org_`` and 12 base62 characters."""

PepperId = NewType("PepperId", str)
"""8 hexadecimal digits, derived from the pepper itself."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 12
ID_RANDOM = 16
"""Random bytes that make an id."""

_KEY_ID = re.compile(r"key_[0-9A-Za-z]{12}")
_ORGANIZATION_ID = re.compile(r"org_[0-9A-Za-z]{12}")


def base62(number: int, length: int) -> str:
    """Write a number with `length` base62 digits, most significant first, zero-padded.

    Raises ValueError when the number is negative or does not fit.
    """
    digits = []
    rest = number
    for _ in range(length):
        rest, digit = divmod(rest, 62)
        digits.append(ALPHABET[digit])
    if rest:
        raise ValueError("the number does not fit into that many base62 digits")
    return "".join(reversed(digits))


def public_id(random: bytes) -> str:
    """Make the 12 base62 characters of an id from 16 random bytes (bias below 2**-56)."""
    if len(random) != ID_RANDOM:
        raise ValueError(f"an id is made from exactly {ID_RANDOM} random bytes")
    return base62(int.from_bytes(random, "big") % 62**ID_LENGTH, ID_LENGTH)


def key_id(random: bytes) -> KeyId:
    """Make a key's id from 16 random bytes."""
    return KeyId("key_" + public_id(random))


def organization_id(random: bytes) -> OrganizationId:
    """Make an organization's id from 16 random bytes."""
    return OrganizationId("org_" + public_id(random))


def is_key_id(text: str) -> bool:
    """Tell whether the text has the shape of a key's id."""
    return _KEY_ID.fullmatch(text) is not None


def is_organization_id(text: str) -> bool:
    """Tell whether the text has the shape of an organization's id."""
    return _ORGANIZATION_ID.fullmatch(text) is not None
