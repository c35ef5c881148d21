"""Every case against one front, one after the other: the bytes, then an ordinary request, then what was left behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.attacks.cases import CASES, Case, Platform
from tests.attacks.law import AFTERWARDS, Outcome, Seen, breaches
from tests.attacks.registry import Front

PLATFORM = Platform()


class Measured(msgspec.Struct, frozen=True):
    """What became of every case on one front, and every breach of the law, by the case's id."""

    front: Front
    outcomes: dict[str, Outcome]
    breaches: dict[str, list[str]]
    printed: bytes

    @property
    def told_secrets(self) -> list[str]:
        """The lines of its processes' logs that hold a secret."""
        secrets = [secret.encode() for secret in PLATFORM.secrets]
        return [repr(line) for line in self.printed.splitlines() if any(secret in line for secret in secrets)]


def measure(front: Front, folder: Path) -> Measured:
    """Run a front, and every case against it."""
    with front.run(folder) as asking:
        seen = list(_seen(asking.ask, asking.running.port, asking.running.trace))
    # Asked only now: its processes have ended, and said their last words.
    printed = asking.running.printed()
    found = {one.case.id: breaches(one, PLATFORM.secrets, front.addresses, answers=front.answers) for one in seen}
    return Measured(front, {one.case.id: one.outcome for one in seen}, found, printed)


def _seen(ask: Any, port: int, trace: Path) -> Iterator[Seen]:
    words = PLATFORM.words(f"127.0.0.1:{port}")
    ordinary = (
        f"GET /datasets/{AFTERWARDS} HTTP/1.1\r\nHost: {words['host']}\r\nAuthorization: Bearer {words['reader']}\r\n\r\n"
    ).encode()
    ask(ordinary)
    lines = _Lines(trace)
    lines.new()
    for case in CASES:
        answers = ask(case.sent(words))
        afterwards = ask(ordinary)
        yield Seen(case, answers, tuple(lines.new()), afterwards)


class _Lines:
    """The lines of a trace that nobody has read yet."""

    def __init__(self, file: Path) -> None:
        file.touch()
        self._file = file.open("rb")

    def new(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._file]


__all__ = ["CASES", "PLATFORM", "Case", "Measured", "measure"]
