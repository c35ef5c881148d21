"""What the middleware adds to a request: around an empty application, against that application alone."""

import asyncio
from collections.abc import Coroutine, MutableMapping
from pathlib import Path
from typing import Any

from bench.deployed import Deployed, deploy
from bench.measure import Result, Round, interleaved
from bench.world import World
from scopekey.enforce.asgi import ASGIApp, Message, Scope, ScopekeyMiddleware

KEYS = 1_000
CALLS = 5_000
"""Requests of one round."""


async def empty(scope: Scope, receive: Any, send: Any) -> None:  # noqa: ARG001 - as ASGI calls it
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Setting:
    """A middleware as in the server, its journal writing into a store, and requests of many keys."""

    def __init__(self, folder: Path) -> None:
        world = deploy(folder, KEYS)
        self.deployed = Deployed(folder)
        self.guarded: ASGIApp = ScopekeyMiddleware(empty, self.deployed)
        self.scopes = [_scope(one, at) for at, one in enumerate(_repeated(world))]
        self.refused = 0

    async def send(self, message: Message) -> None:
        """Take an answer, and count the refusals."""
        self.refused += message.get("status", 200) != 200

    async def asking(self, app: ASGIApp) -> None:
        """Make every request once."""
        send = self.send
        for scope in self.scopes:
            # A new scope for each request, as servers make it.
            await app(dict(scope), _receive, send)


def bench_middleware(folder: Path) -> list[Result]:
    setting = Setting(folder)
    with asyncio.Runner() as runner:
        found = interleaved(
            {
                "empty": _round(runner, setting, empty),
                "guarded": _round(runner, setting, setting.guarded),
                # What a round left is handed over here, so that no other round pays for it.
                "handed over": _handing_over(setting),
            }
        )
    setting.deployed.close()
    assert not setting.refused, f"{setting.refused} requests were not let through"
    bare, guarded, handed = found["empty"], found["guarded"], found["handed over"]
    added = (guarded.median - bare.median) / 1e3
    note = (
        f"empty application {bare.median / 1e3:.2f} µs; with the middleware {guarded.least / 1e3:.1f} to "
        f"{guarded.greatest / 1e3:.1f} µs; one rule, {KEYS:,} keys, reads, the journal as by default"
    )
    rest = "time of handing over what was still waiting after a round, for each request of the round"
    return [
        Result("middleware.added.us", round(added, 2), "µs", guarded.n, note),
        Result("middleware.journal_rest.us", round(handed.median / 1e3, 2), "µs", handed.n, rest),
    ]


def _round(runner: asyncio.Runner, setting: Setting, app: ASGIApp) -> Round:
    def round_() -> int:
        asking: Coroutine[Any, Any, None] = setting.asking(app)
        runner.run(asking)
        return len(setting.scopes)

    return round_


def _handing_over(setting: Setting) -> Round:
    def round_() -> int:
        setting.deployed.journal.close()
        return len(setting.scopes)

    return round_


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _repeated(world: World) -> list[str]:
    return (world.printed * (CALLS // len(world.printed) + 1))[:CALLS]


def _scope(printed: str, number: int) -> MutableMapping[str, Any]:
    path = f"/datasets/{number}/sample"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"user-agent", b"bench"),
            (b"accept", b"*/*"),
            (b"authorization", f"Bearer {printed}".encode()),
        ],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8_000),
    }


def profile_middleware(folder: Path) -> None:
    """What the profiler looks at."""
    setting = Setting(folder)
    for _ in range(5):
        asyncio.run(setting.asking(setting.guarded))
    setting.deployed.close()
