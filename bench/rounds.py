"""A companion's side of the talk: it says what it is, then runs a round for each line it reads.

Of the standard library alone, so that any interpreter can run it. `bench.companion` is the other side.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any


def answer_rounds(about: Mapping[str, str], rounds: Mapping[str, Callable[[], int]]) -> None:
    """Run the round that each line of the input names, and answer with how many calls it made, as JSON."""
    _say(about)
    for line in sys.stdin:
        _say({"calls": rounds[line.strip()]()})


def _say(told: Mapping[str, object]) -> None:
    print(json.dumps(told), flush=True)


async def answer_lines(about: Mapping[str, str], answer: Callable[[Any], Awaitable[Any]]) -> None:
    """Answer each line of the input, a JSON document, while the loop goes on with what it does."""
    _say(about)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _say(await answer(json.loads(line)))
