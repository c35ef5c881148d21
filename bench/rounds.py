"""A companion's side of the talk: it says what it is, then runs a round for each line it reads.

Of the standard library alone, so that any interpreter can run it. `bench.companion` is the other side.
"""

import json
import sys
from collections.abc import Callable, Mapping


def answer_rounds(about: Mapping[str, str], rounds: Mapping[str, Callable[[], int]]) -> None:
    """Run the round that each line of the input names, and answer with how many calls it made, as JSON."""
    _say(about)
    for line in sys.stdin:
        _say({"calls": rounds[line.strip()]()})


def _say(told: Mapping[str, object]) -> None:
    print(json.dumps(told), flush=True)
