"""An API behind a proxy that reports the raw bytes it saw, and a data plane over keys that a test writes down."""

import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

import uvicorn

from scopekey.core.network import parse_network
from scopekey.enforce.doors import forwarded, haproxy, nginx
from scopekey.enforce.doors.check import CheckDoor
from scopekey.testing import Keys

WAITS = 30.0
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LOOPBACK = (parse_network("127.0.0.0/8"),)
YES = (
    b"HTTP/1.1 200 OK\r\nScopekey-Status: 200\r\nContent-Length: 0\r\n"
    + b"".join(b"Scopekey-%s: told\r\n" % name for name in (b"Key-Id", b"Organization", b"Environment", b"Used"))
    + b"X-Request-Id: told\r\n\r\n"
)
"""The yes of a check door, about nobody that there is."""


class Seen(NamedTuple):
    """A request as it arrived: its first line, its fields in order with lower-case names, and its body unchunked."""

    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes

    def all(self, name: str) -> list[bytes]:
        """Every value of a field."""
        return [value for given, value in self.fields if given == name.encode()]

    def names(self) -> set[str]:
        """The names of all fields."""
        return {name.decode("latin-1") for name, _ in self.fields}


class Echo:
    """A server of raw sockets; `seen` are the requests that arrived, `answer` what it says to each.

    It says nothing while `held`, until it is let go.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.held: threading.Event | None = None
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nserved"

    def serve(self, connection: socket.socket) -> None:
        """Answer request after request of a connection."""
        with connection, connection.makefile("rb") as stream:
            while (seen := read(stream)) is not None:
                self.seen.append(seen)
                if self.held is not None:
                    self.held.wait(WAITS)
                if seen.all("upgrade"):
                    connection.sendall(_switched(seen))
                    connection.sendall(stream.readline())
                    return
                if not self.answer:
                    return
                head, blank, body = self.answer.partition(b"\r\n\r\n")
                connection.sendall(head + blank if seen.method == b"HEAD" else head + blank + body)


def _switched(seen: Seen) -> bytes:
    """The answer to a websocket's handshake (RFC 6455 section 4.2.2); HAProxy looks at it."""
    accept = b64encode(sha1(seen.all("sec-websocket-key")[0] + GUID, usedforsecurity=False).digest())
    lines = (b"HTTP/1.1 101 Switching Protocols", b"Connection: Upgrade", b"Upgrade: websocket")
    return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + accept, b"", b""))


def read(stream) -> Seen | None:
    """One request of a connection; None where it ended."""
    line = stream.readline()
    if not line.strip():
        return None
    method, _, rest = line.rstrip(b"\r\n").partition(b" ")
    target, _, _ = rest.rpartition(b" ")
    fields = []
    while (field := stream.readline().rstrip(b"\r\n")) != b"":
        name, _, value = field.partition(b":")
        fields.append((name.lower(), value.strip()))
    seen = Seen(method, target, fields, b"")
    if seen.all("transfer-encoding"):
        return seen._replace(body=_chunks(stream))
    length = seen.all("content-length")
    return seen._replace(body=stream.read(int(length[0]))) if length else seen


def _chunks(stream) -> bytes:
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        continue
    return body


@contextmanager
def echoing(path: Path | None = None) -> Iterator[tuple[Echo, str]]:
    """Serve the echo on loopback, or on a Unix socket; gives it and its address."""
    echo = Echo()
    with listening(path) as (listener, address):
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(echo, connection), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield echo, address
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(echo: Echo, connection: socket.socket) -> None:
    try:
        echo.serve(connection)
    except (OSError, ValueError):
        # The proxy went away, or the test did: what was seen is kept.
        return


@contextmanager
def listening(path: Path | None = None) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and its address as configurations are given it."""
    with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as listener:
        listener.bind(str(path) if path else ("127.0.0.1", 0))
        listener.listen(128)
        yield listener, f"unix:{path}" if path else f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def deciding(keys: Keys, path: Path | None = None) -> Iterator[str]:
    """Serve the check doors over these keys, in this process; gives their address."""
    doors = {
        nginx.PATH: CheckDoor(keys, nginx.read, fields=nginx.FIELDS, trusted_proxies=LOOPBACK, only_401_and_403=True),
        haproxy.PATH: CheckDoor(keys, haproxy.read, fields=haproxy.FIELDS, trusted_proxies=LOOPBACK),
        forwarded.PATH: CheckDoor(keys, forwarded.read, fields=forwarded.FIELDS, trusted_proxies=LOOPBACK),
    }

    async def app(scope, receive, send) -> None:
        await doors[scope["path"]](scope, receive, send)

    config = uvicorn.Config(
        app,
        lifespan="off",
        http="httptools",
        loop="uvloop",
        proxy_headers=False,
        server_header=False,
        log_level="error",
    )
    server = uvicorn.Server(config)
    with listening(path) as (listener, address):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(10)
