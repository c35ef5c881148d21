"""Every case against one front, one after the other: the bytes, then an ordinary request, then what was left behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.attacks.cases import CASES, Platform
from tests.attacks.law import AFTERWARDS, Seen, breaches
from tests.attacks.servers import Running
from tests.attacks.wire import exchange

PLATFORM = Platform()


def run(running: Running) -> list[tuple[Seen, list[str]]]:
    words = PLATFORM.words(f"127.0.0.1:{running.port}")
    ordinary = (
        f"GET /datasets/{AFTERWARDS} HTTP/1.1\r\nHost: {words['host']}\r\nConnection: close\r\n"
        f"Authorization: Bearer {words['reader']}\r\n\r\n"
    ).encode()
    exchange(running.port, ordinary, last=False)
    trace = _Lines(running.trace)
    trace.new()
    results = []
    for case in CASES:
        answers = exchange(running.port, case.sent(words))
        afterwards = exchange(running.port, ordinary, last=False)
        seen = Seen(case, answers, tuple(trace.new()), afterwards)
        results.append((seen, breaches(seen, PLATFORM.secrets, addresses=frozenset({"127.0.0.1"}))))
    return results


class _Lines:
    def __init__(self, file: Path) -> None:
        self._file = file.open("rb")

    def new(self) -> Iterator[dict[str, Any]]:
        for line in self._file:
            yield json.loads(line)
