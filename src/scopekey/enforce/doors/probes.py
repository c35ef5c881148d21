"""What machines ask a data plane about itself: alive, ready, and its numbers.

Whether it is ready each worker answers for itself; the numbers are those of all workers.
"""

import logging
import os
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from scopekey.enforce.asgi import Receive, Scope, Send
from scopekey.enforce.doors.metrics import (
    JournalFolder,
    LogNumbers,
    LogWatch,
    Reading,
    ReplicaNumbers,
    of_journal,
    of_log,
    of_machine,
    of_processes,
    of_replica,
)
from scopekey.enforce.doors.run import Run, Told
from scopekey.replica.fault import log_fault
from scopekey.replica.index import Index, Place
from scopekey.replica.status import Status
from scopekey.replica.verifier import Verifier

log: logging.Logger = logging.getLogger(__name__)
PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
_KNOWN_AGE = 2**53


class Probed(Protocol):
    """What is asked about."""

    @property
    def index(self) -> Index:
        """The replica."""

    @property
    def verifier(self) -> Verifier:
        """The verifier over it."""

    @property
    def journal(self) -> Told:
        """What counts its decisions."""


class Probes:
    """A plain ASGI app for `/healthz`, `/readyz` and `/metrics`.

    `follower` tells what the follower of a feed last said of itself, where there is one; `log` what the store says
    of the audit log, where there is one. `run` knows the other processes, `journal` is the folder they share.
    """

    def __init__(
        self,
        probed: Probed,
        *,
        follower: Callable[[], Status | None] | None = None,
        journal: JournalFolder | None = None,
        log: Callable[[], LogNumbers] | None = None,
        run: Run | None = None,
    ) -> None:
        self._probed = probed
        self._follower = follower
        self._journal = journal
        self._log = LogWatch(log) if log else None
        self._run = run or Run(probed.journal)

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
        """Ready is a node that answers checks: its replica holds something, and is not too old to be answered from."""
        place, age = self._place(), self._age_now()
        freshness = self._probed.verifier.freshness
        ready = place is not None and age <= freshness.refuse_after
        state: dict[str, Any] = {
            "ready": ready,
            "worker": os.getpid(),
            "position": place.position if place else None,
            "age": age if place and age < _KNOWN_AGE else None,
            "stale": place is None or age > freshness.stale_after,
        }
        if self._follower is not None:
            state["follower"] = self._follower()
        await _answer(send, 200 if ready else 503, msgspec.json.encode(state), "application/json")

    async def _metrics(self, send: Send) -> None:
        processes = self._run.numbers()
        families = [*of_processes(processes), *of_replica(self._replica()), *of_machine(processes)]
        if self._journal is not None:
            families += of_journal(self._journal, self._probed.verifier.clock())
        if self._log is not None:
            families += of_log(await self._log.numbers())
        await _answer(send, 200, Reading(families).text(), "text/plain; version=0.0.4; charset=utf-8")

    def _replica(self) -> ReplicaNumbers:
        place, age = self._place(), self._age_now()
        known = place is not None and age < _KNOWN_AGE
        level = known and age <= self._probed.verifier.freshness.stale_after
        return ReplicaNumbers(place.position if place else 0, age if known else None, not level)

    def _place(self) -> Place | None:
        try:
            return self._probed.index.place()
        except Exception as error:  # noqa: BLE001 - whatever it is, the numbers say that nothing is known
            log_fault(log, error, "the replica cannot be read")
            return None

    def _age_now(self) -> int:
        # A commit in flight leaves a mark for a moment: only one that stays longer than is tolerated counts.
        verifier = self._probed.verifier
        return verifier.freshness.age(verifier.clock())


async def _answer(send: Send, status: int, body: bytes, kind: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
