"""Streams of the change feed that only read, and say when the last of them had a change.

As a program: reads the port of a server and the printed key of a follower, then one JSON document a line. `{"open": …}`
is answered once so many streams are open and have their first heartbeat, `{"heard": …}` with the monotonic times in
nanoseconds at which the first and the last of them had so many changes, `{"close": true}` once all are closed.
"""

import asyncio
import json
import sys
import time
from typing import Any

from bench.companion import Companion
from bench.rounds import answer_lines
from bench.serving import HOST, cores, pin
from bench.traffic import get, loop_factory

_AT_ONCE = 25
_WITHIN = 60.0
_CHANGE = b'{"position":'
_BEAT = b'"kind":"heartbeat"'


class Listeners(Companion):
    """So many streams of one server, in a process of their own on the core of the load."""

    def __init__(self, port: int, key: str) -> None:
        super().__init__(sys.executable, "-m", "bench.listeners", str(port), key)

    def open(self, count: int, query: str) -> None:
        """Open so many streams at a place, beside those that are open; comes back when each follows."""
        self.ask(json.dumps({"open": count, "query": query}))

    def heard(self, changes: int) -> tuple[int, int]:
        """Wait until every stream had so many changes; when the first and the last one had."""
        first, last = self.ask(json.dumps({"heard": changes}))
        return first, last

    def close_streams(self) -> None:
        """Close all of them."""
        self.ask(json.dumps({"close": True}))


class _Stream(asyncio.Protocol):
    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self.beaten = False
        self.ended: str | None = None
        self.at: list[int] = []
        """When each change came."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(_CHANGE):
                self.at.append(now)
            elif _BEAT in line:
                self.beaten = True
            elif line.startswith((b'{"kind":"end"', b"HTTP/1.1 4", b"HTTP/1.1 5")):
                self.ended = line[:200].decode()

    def connection_lost(self, _: Exception | None) -> None:
        self.ended = self.ended or "the server hung up"


class _Streams:
    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key
        self._open: list[_Stream] = []

    async def answer(self, line: dict[str, Any]) -> Any:
        if "open" in line:
            return await self._more(line["open"], line["query"])
        if "heard" in line:
            return await self._heard(line["heard"])
        for stream in self._open:
            stream.transport.close()
        self._open = []
        return True

    async def _more(self, count: int, query: str) -> bool:
        request = get(f"/v1/changes?{query}", Authorization=f"Bearer {self._key}").encode()
        loop = asyncio.get_running_loop()
        for begin in range(0, count, _AT_ONCE):
            opening = [
                loop.create_connection(lambda: _Stream(request), HOST, self._port)
                for _ in range(min(_AT_ONCE, count - begin))
            ]
            some = [stream for _, stream in await asyncio.gather(*opening)]
            self._open += some
            await self._until(lambda these=some: all(stream.beaten for stream in these))
        return True

    async def _heard(self, changes: int) -> tuple[int, int]:
        await self._until(lambda: all(len(stream.at) >= changes for stream in self._open))
        at = [stream.at[changes - 1] for stream in self._open]
        return min(at), max(at)

    async def _until(self, done: Any) -> None:
        until = time.monotonic() + _WITHIN
        while not done():
            ended = next((stream.ended for stream in self._open if stream.ended), None)
            if ended or time.monotonic() > until:
                raise RuntimeError(ended or f"not within {_WITHIN:.0f} s")
            await asyncio.sleep(0.002)


async def _run(port: int, key: str) -> None:
    await answer_lines({}, _Streams(port, key).answer)


def main() -> None:
    pin(cores()[1])
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(int(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
