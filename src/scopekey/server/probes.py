"""What machines ask a node about itself: alive, ready, and its numbers."""

import logging
import os

import msgspec
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from starlette.types import Receive, Scope, Send

from scopekey.replica.index import Place
from scopekey.server.node import Node

log = logging.getLogger(__name__)
PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class Probes:
    """A plain ASGI app for `/healthz`, `/readyz` and `/metrics`. Each worker process answers for itself."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._position = Gauge("scopekey_replica_position", "Feed position of the replica", registry=self._registry)
        self._behind = Gauge("scopekey_replica_behind", "1 while the replica is stale", registry=self._registry)

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer one probe."""
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, b"", "text/plain", (b"allow", b"GET, HEAD"))
        elif scope["path"] == "/healthz":
            await _answer(send, 200, b'{"alive":true}', "application/json")
        elif scope["path"] == "/readyz":
            await self._ready(send)
        else:
            await self._metrics(send)

    async def _ready(self, send: Send) -> None:
        """Ready is a node whose replica holds something and is not stale."""
        place = self._place()
        ready = place is not None and not self._stale()
        state = {"ready": ready, "worker": os.getpid(), "position": place.position if place else None}
        await _answer(send, 200 if ready else 503, msgspec.json.encode(state), "application/json")

    async def _metrics(self, send: Send) -> None:
        place = self._place()
        self._position.set(place.position if place else 0)
        self._behind.set(1 if place is None or self._stale() else 0)
        await _answer(send, 200, generate_latest(self._registry), "text/plain; version=0.0.4; charset=utf-8")

    def _place(self) -> Place | None:
        try:
            return self._node.index.place()
        except Exception:
            log.warning("the replica cannot be read", exc_info=True)
            return None

    def _stale(self) -> bool:
        # A commit in flight leaves a mark for a moment: only one that stays longer than is tolerated counts.
        verifier = self._node.verifier
        return verifier.freshness.age(verifier.clock()) > verifier.freshness.stale_after


async def _answer(send: Send, status: int, body: bytes, kind: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
