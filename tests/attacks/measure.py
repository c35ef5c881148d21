"""Every case against one front, one after the other: the bytes, then an ordinary request, then what was left behind."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from os import SEEK_END
from pathlib import Path

import msgspec

from tests.attacks.cases import CASES, Case, Platform
from tests.attacks.law import AFTERWARDS, Outcome, Seen, breaches
from tests.attacks.registry import Asking, Front
from tests.attacks.wire import AT_MOST_MEANWHILE

PLATFORM = Platform()


class Measured(msgspec.Struct, frozen=True):
    """What became of every case on one front, and every breach of the law, by the case's id.

    `told_secrets` are the lines of its processes' logs that hold a secret.
    """

    front: Front
    outcomes: dict[str, Outcome]
    breaches: dict[str, list[str]]
    told_secrets: list[str]


def measure(front: Front, folder: Path, cases: Sequence[Case] = CASES) -> Measured:
    """Run a front, and every case against it."""
    with front.run(folder) as asking:
        seen = list(_seen(asking, cases))
    # Asked only now: its processes have ended, and said their last words.
    printed = asking.running.printed()
    secrets = [secret.encode() for secret in PLATFORM.secrets]
    return Measured(
        front,
        {one.case.id: one.outcome for one in seen},
        {one.case.id: breaches(one, PLATFORM.secrets, front.addresses, answers=front.answers) for one in seen},
        [repr(line) for line in printed.splitlines() if any(secret in line for secret in secrets)],
    )


def _seen(asking: Asking, cases: Sequence[Case]) -> Iterator[Seen]:
    host = f"127.0.0.1:{asking.running.port}"
    words = PLATFORM.words(host)
    ordinary = (
        f"GET /datasets/{AFTERWARDS} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"Authorization: Bearer {words['reader']}\r\n\r\n"
    ).encode()
    ask_ordinary = partial(asking.ask, ordinary, last=False)
    # A server of one worker cannot answer this as long as it waits for the rest of a case.
    meanwhile = partial(ask_ordinary, within=AT_MOST_MEANWHILE)
    ask_ordinary()
    with asking.running.trace.open("rb") as trace:
        trace.seek(0, SEEK_END)
        for case in cases:
            answers = asking.ask(case.sent(words), meanwhile=meanwhile)
            afterwards = ask_ordinary()
            yield Seen(case, answers, tuple(map(json.loads, trace)), afterwards)
