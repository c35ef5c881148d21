"""Bytes over a socket, and the answers that come back, until the server has nothing more to say."""

import re
import socket
import time
from contextlib import suppress

import msgspec

IDLE = 0.2
"""Seconds without a byte after which a server is taken to wait for more than it will get."""
AT_MOST = 5.0
LAST = b"GET /sentinel HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
"""An ordinary request of a public route, sent right behind a case: its answer, and the close, are the end."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?=[ \r])")
_REQUEST_ID = re.compile(rb"^x-request-id:[ ]*([^\r\n]*)\r?$", re.IGNORECASE | re.MULTILINE)


class Answers(msgspec.Struct, frozen=True):
    """All that came back over one connection; `waited` is true where the server held it open, waiting for more."""

    data: bytes
    waited: bool = False

    @property
    def statuses(self) -> tuple[int, ...]:
        """The status of every answer, in order; interim ones are left out."""
        return tuple(status for found in _STATUS.findall(self.data) if (status := int(found)) >= 200 or status == 101)

    @property
    def request_ids(self) -> tuple[str, ...]:
        """The request ids of the answers that have one."""
        return tuple(found.decode("latin-1") for found in _REQUEST_ID.findall(self.data))


def exchange(port: int, request: bytes, *, last: bool = True) -> Answers:
    """Send a request, and the last one behind it, over a connection of its own."""
    if last:
        request += LAST.replace(b"{host}", b"127.0.0.1:%d" % port)
    with socket.create_connection(("127.0.0.1", port), timeout=AT_MOST) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A server may close while it is still being told: what it said before is all there is.
        with suppress(OSError):
            connection.sendall(request)
        return _read(connection)


def _read(connection: socket.socket) -> Answers:
    received = bytearray()
    until = time.monotonic() + AT_MOST
    connection.settimeout(IDLE)
    while time.monotonic() < until:
        try:
            some = connection.recv(65536)
        except TimeoutError:
            return Answers(bytes(received), waited=True)
        except OSError:
            break
        if not some:
            break
        received += some
    return Answers(bytes(received))
