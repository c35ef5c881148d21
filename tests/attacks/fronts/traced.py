"""What a server under attack leaves behind: one line of JSON for each record, and for each request that got through.

A line is written before the answer is, with one system call, so that processes can share the file.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from scopekey.replica.event import Event
from scopekey.replica.journal import DONE, Ticket
from scopekey.replica.verifier import Verifier
from tests.attacks.cases import Platform


class Trace:
    """The file that `ATTACK_TRACE` names, opened to append."""

    def __init__(self) -> None:
        self._file = os.open(os.environ["ATTACK_TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, kind: str, **what: Any) -> None:
        os.write(self._file, json.dumps({"kind": kind, **what}).encode() + b"\n")


TRACE = Trace()


class Recording:
    """A journal that writes every event to the trace."""

    def append(self, event: Event) -> Ticket:
        TRACE.write(
            "asked",
            id=event.request_id,
            allowed=event.proceeds,
            code=None if event.decision else event.decision.reason.value,
            operation=event.operation,
            value=event.object,
            key=event.decision.key_id or "",
            address=event.address,
        )
        return DONE

    def close(self) -> None:
        return


class Plane:
    """Keys for an adapter: those of the platform, with a journal that writes to the trace."""

    missing_permission_status = 401

    def __init__(self) -> None:
        platform = Platform()
        inner = platform.keys.verifier
        self.rules = platform.rules
        self.verifier = Verifier(
            inner.index,
            key_format=inner.key_format,
            peppers=inner._peppers,
            journal=Recording(),
            clock=inner.clock,
            freshness=inner.freshness,
        )


PLANE = Plane()


Who = tuple[str | None, str | None]
"""The id of a request's record and the key that the application is told of ("": nobody); None: it is told nothing."""

TOLD_NOTHING: Who = (None, None)


def who_of(event: Event | None) -> Who:
    """What an adapter left for the application."""
    return TOLD_NOTHING if event is None else (event.request_id, event.decision.key_id or "")


def reached(who: Who, method: str, path: str) -> None:
    """Note that a request got past the check, before anything routes it."""
    TRACE.write("reached", id=who[0], key=who[1], call=[method, path])


def served(who: Who, operation: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Note that a route was served, and give what it answers: itself and its parameter."""
    seen = {"operation": operation, "value": next(iter(values.values()), None)}
    TRACE.write("served", id=who[0], key=who[1], **seen)
    return seen
