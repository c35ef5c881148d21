"""A request as a proxy tells it, and what the doors have in common in reading it."""

from collections.abc import Callable
from typing import NamedTuple

from scopekey.core.network import Network
from scopekey.core.rules import METHOD
from scopekey.enforce.asgi import Scope
from scopekey.enforce.fields import Fields
from scopekey.enforce.request import caller


class Asked(NamedTuple):
    """A request as its proxy tells it; an empty target is unreadable, an address of None is in no network."""

    method: str
    target: bytes
    address: str | None


UNTOLD = Asked("UNTOLD", b"", None)
"""What is decided where the proxy did not tell the request in the one way it must."""

Read = Callable[[Fields, Scope, tuple[Network, ...]], Asked]
"""Finds the request in the header fields of its door alone; gives `UNTOLD` where one is not there exactly once.

The networks are those of trusted proxies, for doors that are told a list of addresses.
"""


def told_method(value: bytes | None) -> str | None:
    """A method as a proxy tells it; None where it is none. A comma joins two answers to one question."""
    name = value.decode("latin-1") if value is not None else ""
    return name if METHOD.fullmatch(name) else None


def forwarded_for(value: bytes, trusted: tuple[Network, ...]) -> str | None:
    """The client in an `X-Forwarded-For`: the first from the right that is no trusted proxy; None if unreadable."""
    return caller(None, value.decode("latin-1"), trusted)
