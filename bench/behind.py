"""The servers of the door benchmark, as a gateway's worker runs them: the gateway, and empty handlers beside it.

An empty handler reads what the real one reads and sends, byte for byte, what the real one sent.
"""

import os
import threading
import time
from pathlib import Path
from typing import Any

from bench.deployed import FOLDER
from bench.world import KEY_FORMAT, PEPPER_TEXT
from scopekey.enforce.asgi import ASGIApp, Scope
from scopekey.gateway.app import Gateway
from scopekey.gateway.node import GatewayNode
from scopekey.replica.clock import milliseconds
from scopekey.replica.freshness import Level, milliseconds_since_boot
from scopekey.settings import Settings

SINK = "BENCH_SINK"
"""The variable that tells a gateway where its decisions go."""


def gateway() -> ASGIApp:
    """A gateway over the replica that the environment names; a thread says each second that it is level."""
    settings = Settings(
        home=Path(os.environ[FOLDER]),
        upstream=os.environ[SINK],
        pepper=PEPPER_TEXT,
        key_prefix=KEY_FORMAT.prefix,
        environments=KEY_FORMAT.environments,
    )
    node = GatewayNode(settings, key=lambda: "sck_live_bench")
    _level(node)
    threading.Thread(target=_follow, args=(node,), daemon=True).start()
    return Gateway(node)


def _follow(node: GatewayNode) -> None:
    while True:
        time.sleep(1)
        _level(node)


def _level(node: GatewayNode) -> None:
    node.index.leveled(Level(milliseconds(), milliseconds_since_boot()))


_CHECKED = [
    (b"content-length", b"0"),
    (b"scopekey-key-id", b"key_000000000000"),
    (b"scopekey-organization", b"org_000000000000"),
    (b"scopekey-environment", b"live"),
    (b"scopekey-used", b"datasets:read"),
    (b"x-request-id", b"req_4f1d0c2b9a8e7f6d5c4b"),
    (b"scopekey-requires", b"datasets:read"),
    (b"scopekey-key-expires", b"2027-02-21T09:00:00.000Z"),
]


def empty_door() -> ASGIApp:
    """Answers as the check door does, and looks at nothing."""

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _CHECKED})
        await send({"type": "http.response.body", "body": b""})

    return app


def empty_verify() -> ASGIApp:
    """Reads the body, and answers as `/v1/verify` does: the answer that it was given to repeat."""
    body = Path(os.environ[FOLDER], "answer.json").read_bytes()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", b"req_4f1d0c2b9a8e7f6d5c4b"),
        (b"scopekey-requires", b"scopekey_verifications:write"),
        (b"scopekey-key-expires", b"2027-02-21T09:00:00.000Z"),
    ]

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        while (await receive()).get("more_body", False):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def sink() -> ASGIApp:
    """Takes every batch of decisions and looks at nothing but how many there are: the other end costs nothing here."""
    import msgspec  # noqa: PLC0415 - only this server needs it

    class Batch(msgspec.Struct):
        offset: int
        decisions: list[msgspec.Raw] = []
        refusals: list[msgspec.Raw] = []

    read = msgspec.json.Decoder(Batch).decode

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        parts = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        batch = read(b"".join(parts))
        answer = b'{"next":%d}' % (batch.offset + len(batch.decisions) + len(batch.refusals))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


async def _live(receive: Any, send: Any) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
