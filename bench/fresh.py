"""A verifier in a process of its own: how soon it answers, and what memory it holds for itself.

As a program: reads printed keys from its input, one a line, and prints two numbers.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from bench.process import anonymous
from bench.world import NEEDED, SAMPLE, World, verifier


class Fresh(msgspec.Struct, frozen=True):
    """What one process told: seconds to its first answer, bytes of anonymous memory after many checks."""

    first_answer: float
    private: int


def fresh(world: World) -> Fresh:
    """Start a process, and let it check as many keys as every other one."""
    printed = (world.printed * (SAMPLE // len(world.printed) + 1))[:SAMPLE]
    done = subprocess.run(
        [sys.executable, "-m", "bench.fresh", str(world.folder)],
        input="\n".join(printed),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    return msgspec.json.decode(done.stdout, type=Fresh)


def main() -> None:
    printed = sys.stdin.read().splitlines()
    begun = time.perf_counter()
    check = verifier(Path(sys.argv[1])).check
    first = check(printed[0], NEEDED)
    answered = time.perf_counter() - begun
    assert first
    assert all(check(one, NEEDED) for one in printed)
    print(msgspec.json.encode(Fresh(answered, anonymous(os.getpid()))).decode())


if __name__ == "__main__":
    main()
