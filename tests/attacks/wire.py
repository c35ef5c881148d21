"""Bytes over a socket, and the answers that come back, until the server has nothing more to say."""

import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

IDLE, IDLE_STILL = 0.05, 0.1
"""Seconds without a byte after which a server may be waiting for more than it will get, and then does."""
AT_MOST, AT_MOST_MEANWHILE = 10.0, 0.5
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


def exchange(
    port: int,
    request: bytes,
    *,
    last: bool = True,
    meanwhile: Callable[[], object] | None = None,
    within: float = AT_MOST,
) -> Answers:
    """Send a request, and the last one behind it, over a connection of its own.

    Where nothing comes for a while, `meanwhile` is done, and only a server that is still silent afterwards is
    taken to wait: one that is merely slow has answered by then.
    """
    if last:
        request += LAST.replace(b"{host}", b"127.0.0.1:%d" % port)
    with socket.create_connection(("127.0.0.1", port), timeout=AT_MOST) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A server may close while it is still being told: what it said before is all there is.
        with suppress(OSError):
            connection.sendall(request)
        return _read(connection, meanwhile, within)


def _read(connection: socket.socket, meanwhile: Callable[[], object] | None, within: float) -> Answers:
    received = bytearray()
    until = time.monotonic() + within
    connection.settimeout(IDLE if meanwhile else within)
    while time.monotonic() < until:
        try:
            some = connection.recv(65536)
        except TimeoutError:
            if meanwhile is None:
                return Answers(bytes(received), waited=True)
            meanwhile()
            meanwhile = None
            connection.settimeout(IDLE_STILL)
            continue
        except OSError:
            break
        if not some:
            break
        received += some
    return Answers(bytes(received))
