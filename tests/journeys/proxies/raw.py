"""A client of raw bytes, so that nothing between a test and a proxy makes anything nicer."""

import json
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from scopekey.testing import Keys
from tests.journeys.proxies.echo import Echo

PATIENCE = 20.0
CONTINUE = 100


class Answer(NamedTuple):
    """What a proxy answered."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a field, by its lower-case name."""
        return [value for given, value in self.fields if given == name]

    def one(self, name: str) -> str | None:
        """The value of a field that is there once, None where it is not there."""
        values = self.all(name)
        assert len(values) < 2, values
        return values[0] if values else None

    @property
    def document(self) -> dict:
        """The body as JSON."""
        return json.loads(self.body)


class Fronted(NamedTuple):
    """A running proxy, what it guards, and whom it asks."""

    proxy: str
    address: tuple[str, int]
    echo: Echo
    gateway: str
    keys: Keys

    def decided(self, method: str, target: str, *fields: str, key: str = "") -> Answer:
        """What Scopekey says itself about a request, in full."""
        host, port = urlsplit(self.gateway).hostname, urlsplit(self.gateway).port
        told = (f"X-Original-Method: {method}", f"X-Original-URI: {target}", "X-Original-Client: 127.0.0.1")
        return send((str(host), int(port or 0)), "GET /check/haproxy", *told, *fields, key=key)

    def send(self, line: str, *fields: str, body: bytes = b"", key: str = "") -> Answer:
        """Send a request with these very lines on a connection of its own."""
        return send(self.address, line, *fields, body=body, key=key)

    @property
    def seen(self):
        """The one request that the API saw."""
        assert 1 == len(self.echo.seen), self.echo.seen
        return self.echo.seen[0]


def send(address: tuple[str, int], line: str, *fields: str, body: bytes = b"", key: str = "") -> Answer:
    """Send one request and read its answer."""
    with socket.create_connection(address, timeout=PATIENCE) as connection, connection.makefile("rb") as stream:
        connection.sendall(written(line, *fields, body=body, key=key))
        return read_answer(stream, head=line.startswith("HEAD "))


def written(line: str, *fields: str, body: bytes = b"", key: str = "") -> bytes:
    """The bytes of a request; Latin-1, so that every byte can be sent."""
    credential: Iterable[str] = [f"Authorization: Bearer {key}"] if key else []
    return "\r\n".join([f"{line} HTTP/1.1", "Host: api.example", *credential, *fields, "", ""]).encode("latin-1") + body


def read_answer(stream, *, head: bool = False) -> Answer:
    """Read one answer; one without a length ends with its connection."""
    status = int(stream.readline().split(b" ")[1])
    fields = []
    while (line := stream.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        fields.append((name.lower(), value.strip()))
    if status == CONTINUE:
        return read_answer(stream, head=head)
    answer = Answer(status, fields, b"")
    if head or status in {101, 204, 304}:
        return answer
    if answer.one("transfer-encoding"):
        body = b""
        while size := int(stream.readline(), 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
        return answer._replace(body=body)
    length = answer.one("content-length")
    return answer._replace(body=stream.read(int(length)) if length is not None else stream.read())
