"""A paced load of checks that is always about one key, and says when the last of them was allowed.

As a program: reads the ports of its servers, how many connections each gets, and how many milliseconds lie between two
questions of a connection; then one JSON document a line. `{"key": …}` is answered once every connection was allowed
with that key; `{"returned": …}`, the monotonic time in nanoseconds at which its revocation had returned, once all
servers have refused it for a while. The monotonic clock is the same for all processes of a machine.
"""

import asyncio
import json
import re
import sys
import time
from typing import Any

from bench.companion import Companion
from bench.planes import TARGET
from bench.rounds import answer_lines
from bench.serving import HOST
from bench.traffic import LENGTH, get, loop_factory

QUIET = 0.25
"""Seconds without an allow anywhere after which a key counts as refused."""
_WITHIN = 15.0
_WORKER = re.compile(rb'"worker": ?(\d+)')


class Hammer(Companion):
    """So many connections to each server, each of which asks every few milliseconds."""

    def __init__(self, ports: list[int], connections: int, every: float) -> None:
        given = (",".join(map(str, ports)), str(connections), str(every))
        super().__init__(sys.executable, "-m", "bench.hammer", *given)

    def use(self, printed: str) -> None:
        """Ask about this key from now on; comes back when every connection was allowed."""
        self.ask(json.dumps({"key": printed}))

    def refused(self, returned: int) -> list[dict[str, int]]:
        """Wait until it is refused everywhere; see `_Server.told` for what is known of each server."""
        answers: list[dict[str, int]] = self.ask(json.dumps({"returned": returned}))
        return answers


class _Server:
    """What one server answered about the present key."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.forget()

    def forget(self) -> None:
        self.allowed: list[tuple[int, int]] = []
        self.asked: list[int] = []

    def told(self, returned: int) -> dict[str, int]:
        """Nanoseconds from the return to the last allow, allows of later questions, later questions."""
        last = max((got for _, got in self.allowed), default=returned)
        return {
            "late": max(last - returned, 0),
            "violations": sum(sent > returned for sent, _ in self.allowed),
            "asked": sum(sent > returned for sent in self.asked),
        }


class _Connection(asyncio.Protocol):
    """Asks at its times, unless it still waits for an answer.

    An answer that is neither yes nor `revoked_key` ends the measurement. The first one says which worker answers here.
    """

    def __init__(self, load: "_Load", server: _Server) -> None:
        self._load = load
        self._server = server
        self._got = b""
        self._sent: int | None = None
        self._number = 0
        self.worker = b""
        self.reached = 0
        """The number of the key that it was allowed with last."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(get("/readyz").encode())

    def tick(self) -> None:
        if self._sent is None:
            self._number, self._sent = self._load.number, time.monotonic_ns()
            self._transport.write(self._load.request)
        self._load.loop.call_later(self._load.every, self.tick)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, _, body = self._got.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        if length is None or len(body) < int(length[1]):
            return
        self._got = b""
        if not self.worker:
            told = _WORKER.search(body)
            self.worker = told[1] if told else b"?"
            return
        sent, self._sent = self._sent, None
        if sent is not None and self._number == self._load.number:
            self._answered(head, sent)

    def _answered(self, head: bytes, sent: int) -> None:
        self._server.asked.append(sent)
        if head.startswith(b"HTTP/1.1 200"):
            self.reached = self._number
            self._server.allowed.append((sent, time.monotonic_ns()))
        elif b"revoked_key" not in head:
            self._load.fail(f"an answer that was not expected: {head[:300]!r}")

    def connection_lost(self, _: Exception | None) -> None:
        self._load.fail("a server hung up")


class _Load:
    def __init__(self, ports: list[int], every: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.every = every
        self.number = 0
        self.request = b""
        self._servers = [_Server(port) for port in ports]
        self._connections: list[_Connection] = []
        self._failed: str | None = None

    async def connect(self, each: int) -> None:
        for server in self._servers:
            for _ in range(each):
                _, made = await self.loop.create_connection(lambda s=server: _Connection(self, s), HOST, server.port)
                self._connections.append(made)
        await self._until(lambda: all(connection.worker for connection in self._connections))

    def workers(self) -> int:
        """How many processes answer on these connections."""
        return len({connection.worker for connection in self._connections})

    def fail(self, why: str) -> None:
        self._failed = self._failed or why

    async def answer(self, line: dict[str, Any]) -> Any:
        if "key" in line:
            return await self._begin(line["key"])
        await self._until(lambda: time.monotonic_ns() - max(line["returned"], self._last()) > QUIET * 1e9)
        return [server.told(line["returned"]) for server in self._servers]

    async def _begin(self, printed: str) -> bool:
        first = not self.number
        for server in self._servers:
            server.forget()
        self.number += 1
        told = {"X_Original_Method": "GET", "X_Original_URI": TARGET, "X_Original_Client": "192.0.2.1"}
        self.request = get("/check/nginx", Authorization=f"Bearer {printed}", **told).encode()
        if first:
            # Spread over the time between two questions, so that each server is asked all the time.
            for at, connection in enumerate(self._connections):
                self.loop.call_later(self.every * at / len(self._connections), connection.tick)
        await self._until(lambda: all(connection.reached == self.number for connection in self._connections))
        return True

    def _last(self) -> int:
        return max((server.allowed[-1][1] for server in self._servers if server.allowed), default=0)

    async def _until(self, done: Any) -> None:
        until = time.monotonic() + _WITHIN
        while not done():
            if self._failed or time.monotonic() > until:
                raise RuntimeError(self._failed or f"not within {_WITHIN:.0f} s")
            await asyncio.sleep(0.005)


async def _run(ports: list[int], each: int, every: float) -> None:
    load = _Load(ports, every / 1_000)
    await load.connect(each)
    await answer_lines({"workers": str(load.workers())}, load.answer)


def main() -> None:
    ports, each, every = [int(port) for port in sys.argv[1].split(",")], int(sys.argv[2]), float(sys.argv[3])
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(ports, each, every))


if __name__ == "__main__":
    main()
