"""A proxy that speaks to a check door as its documentation says, and hands through whatever a client sends beside it.

It stands for proxies that are not at hand (Envoy, Traefik), and is the harshest that a door may trust: it takes
nothing away from what it asks with but what would break its own connection.
"""

import re
from collections.abc import Callable

import msgspec

from tests.attacks.wire import Answers, exchange

CLIENT = "198.51.100.7"
"""The client's address as the relay tells it."""

Lines = list[bytes]
_FIRST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^ \x00-\x1f\x7f]+) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f]*)")
_OWN = frozenset({b"connection", b"content-length", b"transfer-encoding", b"host", b"expect", b"upgrade", b"te"})
_BAD_REQUEST = Answers(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
_TOLD = (b"scopekey-key-id", b"scopekey-organization", b"scopekey-environment", b"scopekey-used", b"x-request-id")


class Held(msgspec.Struct, frozen=True):
    """A request that the relay holds: what stood first in the bytes."""

    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field."""
        return [value for given, value in self.fields if given.lower() == name]

    def lines(self, *without: bytes) -> Lines:
        """Its fields as they came, but those of its connection and these."""
        return [name + b": " + value for name, value in self.fields if name.lower() not in _OWN | frozenset(without)]


def held(request: bytes) -> Held | None:
    """Read the first request of the bytes as strictly as a proxy should; None where it is none."""
    head, end, _ = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    found = _FIRST.fullmatch(first)
    fields = [_FIELD.fullmatch(line) for line in lines]
    if not end or found is None or not all(fields):
        return None
    return Held(found[1], found[2], [(field[1], field[2].rstrip()) for field in fields if field])


def asks_original(path: bytes) -> Callable[[Held], Lines]:
    """How nginx and HAProxy ask: in fields that their configuration sets."""

    def ask(request: Held) -> Lines:
        own = [b"X-Original-Method: " + request.method, b"X-Original-URI: " + request.target]
        return [b"GET " + path + b" HTTP/1.1", *own, b"X-Original-Client: " + CLIENT.encode(), *request.lines()]

    return ask


def asks_forwarded(request: Held) -> Lines:
    """How Caddy and Traefik ask: in `X-Forwarded-*`, and the client's query string behind the path."""
    own = [b"X-Forwarded-Method: " + request.method, b"X-Forwarded-Uri: " + request.target, _forwarded_for(request)]
    query = request.target.partition(b"?")[2]
    line = b"GET /check/forwarded" + (b"?" + query if query else b"") + b" HTTP/1.1"
    return [line, *own, *request.lines(b"x-forwarded-for")]


def asks_envoy(request: Held) -> Lines:
    """How Envoy asks: the request's own line behind a prefix."""
    line = request.method + b" /ext_authz" + request.target + b" HTTP/1.1"
    return [line, _forwarded_for(request), *request.lines(b"x-forwarded-for")]


def _forwarded_for(request: Held) -> bytes:
    return b"X-Forwarded-For: " + b", ".join([*request.all(b"x-forwarded-for"), CLIENT.encode()])


def relayed(request: bytes, ask: Callable[[Held], Lines], doors: int, api: int) -> Answers:
    """Ask the doors on one port, and the API on the other where they say 200; gives what the client is answered."""
    found = held(request)
    if found is None:
        return _BAD_REQUEST
    said = exchange(doors, _request(ask(found), doors), last=False)
    if said.statuses[:1] != (200,):
        return said
    told = [line for line in said.data.split(b"\r\n") if line.partition(b":")[0].lower() in _TOLD]
    line = found.method + b" " + found.target + b" HTTP/1.1"
    return exchange(api, _request([line, *told, *_handed_on(found)], api), last=False)


def _handed_on(found: Held) -> Lines:
    """The client's fields without those that only the check may say, nor ones that CGI would take for them."""
    named = [(line.partition(b":")[0].lower(), line) for line in found.lines(b"x-request-id")]
    return [line for name, line in named if not name.startswith(b"scopekey-") and b"_" not in name]


def _request(lines: Lines, port: int) -> bytes:
    more = [b"Host: 127.0.0.1:%d" % port, b"Connection: close", b"", b""]
    return b"\r\n".join([*lines, *more])
