"""A request as a proxy tells it, and what the doors have in common in reading it."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from scopekey.core.network import Network
from scopekey.core.rules import METHOD
from scopekey.enforce.asgi import Scope
from scopekey.enforce.fields import Fields
from scopekey.enforce.request import caller

_SHORT = 64
"""Bytes of a list that is worth keeping; longer ones are a client's own, and could fill the memory."""


class Asked(NamedTuple):
    """A request as its proxy tells it; an empty target is unreadable, an address of None is in no network."""

    method: str
    target: bytes
    address: str | None


UNTOLD = Asked("UNTOLD", b"", None)
"""What is decided where the proxy did not tell the request in the one way it must."""

ForwardedFor = Callable[[bytes], str | None]
"""Gives the client in an `X-Forwarded-For`: the first from the right that is no trusted proxy; None if unreadable."""

Read = Callable[[Fields, Scope, ForwardedFor], Asked]
"""Finds the request in the header fields of its door alone; gives `UNTOLD` where one is not there exactly once."""


def told_method(value: bytes | None) -> str | None:
    """A method as a proxy tells it; None where it is none. A comma joins two answers to one question."""
    name = value.decode("latin-1") if value is not None else ""
    return name if METHOD.fullmatch(name) else None


def forwarded_for(trusted: tuple[Network, ...]) -> ForwardedFor:
    """Make what reads the lists of these proxies. The same callers ask again and again, so short lists are kept."""

    def client(value: bytes) -> str | None:
        return caller(None, value.decode("latin-1"), trusted)

    kept = lru_cache(maxsize=4096)(client)
    return lambda value: kept(value) if len(value) <= _SHORT else client(value)
