"""Every case against one front, one after the other: the bytes, then an ordinary request, then what was left behind."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from os import SEEK_END
from pathlib import Path
from typing import Any

import msgspec

from tests.attacks.cases import CASES, Case, Platform
from tests.attacks.law import AFTERWARDS, Outcome, Seen, breaches
from tests.attacks.registry import Asking, Front
from tests.attacks.wire import AT_MOST_MEANWHILE, Answers

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
        told = list(_told(asking, cases))
    with asking.running.trace.open("rb") as trace:
        # What its processes did last, when they ended.
        trace.seek(told[-1].end)
        late = list(map(json.loads, trace))
    slices = _by_request([*(one.lines for one in told), late])
    seen = [
        Seen(one.case, one.answers, tuple(lines), one.afterwards) for one, lines in zip(told, slices[:-1], strict=True)
    ]
    seen[-1] = msgspec.structs.replace(seen[-1], lines=(*seen[-1].lines, *slices[-1]))
    # Asked only now: its processes have ended, and said their last words.
    printed = asking.running.printed()
    secrets = [secret.encode() for secret in PLATFORM.secrets]
    return Measured(
        front,
        {one.case.id: one.outcome for one in seen},
        {one.case.id: breaches(one, PLATFORM.secrets, front.addresses, answers=front.answers) for one in seen},
        [repr(line) for line in printed.splitlines() if any(secret in line for secret in secrets)],
    )


class _Told(msgspec.Struct, frozen=True):
    """What was answered to a case, the lines that its front wrote meanwhile, and where they end in the trace."""

    case: Case
    answers: Answers
    afterwards: Answers
    lines: list[dict[str, Any]]
    end: int


def _told(asking: Asking, cases: Sequence[Case]) -> Iterator[_Told]:
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
            yield _Told(case, answers, afterwards, list(map(json.loads, trace.readlines())), trace.tell())


def _by_request(slices: Sequence[Sequence[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """The lines of each slice, with what was written later about a request that was decided in it."""
    home: dict[str, int] = {}
    sorted_: list[list[dict[str, Any]]] = [[] for _ in slices]
    for at, lines in enumerate(slices):
        for line in lines:
            if line["kind"] == "asked":
                home[line["id"]] = at
            sorted_[home.get(line["id"], at)].append(line)
    return sorted_
