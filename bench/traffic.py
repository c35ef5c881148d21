"""The load on a server: so many requests over so many connections, and every answer is looked at.

As a program: reads its requests from a JSON file, pins itself to a core and sends them all for every round. Any answer
but a 200 ends it: a server that refuses is quick, and measured wrongly.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.companion import Companion
from bench.rounds import answer_rounds
from bench.serving import HOST, cores, pin

CONNECTIONS = 64
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def traffic(port: int, requests: list[str], file: Path, connections: int = CONNECTIONS) -> Companion:
    """A companion whose round `load` sends all these requests to a server on this machine."""
    file.write_text(json.dumps(requests), encoding="utf-8")
    return Companion(sys.executable, "-m", "bench.traffic", str(file), str(port), str(connections))


def get(path: str, **headers: str) -> str:
    """A GET request as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items())]
    return "\r\n".join((*lines, "", ""))


class _Connection(asyncio.Protocol):
    """Sends one request after the other, and the next only after the answer; reconnects where the server hangs up."""

    def __init__(self, requests: Iterator[bytes], port: int) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._port = port
        self._waiting = False
        self._got = b""
        self._again: asyncio.Task[None] | None = None

    # uvloop's transports are not of asyncio's classes.
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got = got = self._got + data if self._got else data
        head = got.find(b"\r\n\r\n")
        if head < 0:
            return
        length = LENGTH.search(got, 0, head + 2)
        if length is None or not got.startswith(b"HTTP/1.1 200"):
            self._fail(f"this is no 200 with a length: {got[:400]!r}")
        elif len(got) >= head + 4 + int(length[1]):
            self._got, self._waiting = b"", False
            # Who is told that the connection ends waits for that, and asks on the next one.
            if b"\r\nconnection: close" not in got[:head].lower():
                self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended.done():
            return
        if self._waiting:
            self._fail(f"the server hung up on a request: {exc}")
            return
        self._again = asyncio.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, HOST, self._port)
        except OSError as error:
            self.ended.set_exception(error)

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.ended.set_result(None)
        else:
            self._waiting = True
            self._transport.write(request)

    def _fail(self, why: str) -> None:
        self._transport.close()
        self.ended.set_exception(RuntimeError(why))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The quickest event loop there is."""
    try:
        import uvloop  # noqa: PLC0415 - where it is not installed, the loop of the standard library does
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


async def _send(requests: list[bytes], port: int, connections: int) -> int:
    loop, left = asyncio.get_running_loop(), iter(requests)
    made = [await loop.create_connection(lambda: _Connection(left, port), HOST, port) for _ in range(connections)]
    await asyncio.wait_for(asyncio.gather(*(protocol.ended for _, protocol in made)), 60)
    return len(requests)


def main() -> None:
    file, port, connections = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    pin(cores()[1])
    requests = [request.encode() for request in json.loads(file.read_text("utf-8"))]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        answer_rounds(
            {"loop": type(runner.get_loop()).__module__},
            {
                "load": lambda: runner.run(_send(requests, port, connections)),
            },
        )


if __name__ == "__main__":
    main()
