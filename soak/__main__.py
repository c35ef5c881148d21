"""`python -m soak MINUTES [SEED]`: everything that can go wrong, at random; ends with a report and an exit code."""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from soak.audit import audited
from soak.events import EVERY
from soak.watch import Watch, healed
from soak.world import World

_SAID = 60
"""Lines of the servers' own log that are shown where something is amiss."""


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    words.add_argument("minutes", type=float, nargs="?", default=1.0, help="how long things go wrong")
    words.add_argument("seed", type=int, nargs="?", help="of the schedule; a new one where it is left out")
    words.add_argument(
        "--control",
        action="store_true",
        help="take a live key for one that was ended, and an answer for given: must fail",
    )
    asked = words.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    # Ended by somebody: what was started is ended all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("soak: ended before its time"))
    print(f"soak: {asked.minutes:g} minute(s), seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="scopekey-soak-") as folder:
        return soak(Path(folder), asked.minutes, random.Random(seed), control=asked.control)


def soak(folder: Path, minutes: float, drawn: random.Random, *, control: bool = False) -> int:
    """Run, and report."""
    world = World(folder, drawn)
    happened: Counter[str] = Counter()
    wrong: list[str] = []
    watch = Watch(world)
    try:
        world.start()
        if control:
            world.revoked[world.live.popitem()[0]] = 0.0
        with watch:
            _let_happen(world, minutes, drawn, happened, wrong)
            wrong += healed(world, watch)
    finally:
        wrong += [f"{name} had to be killed in the end" for name in world.stop()]
    if control:
        next(iter(watch.asked.values())).next()
        next(iter(watch.asked.values())).answered("allowed")
    log, amiss = audited(world, watch.asked)
    wrong += amiss
    _report(world, watch, happened, wrong, log)
    return 1 if wrong else 0


def _let_happen(world: World, minutes: float, drawn: random.Random, happened: Counter[str], wrong: list[str]) -> None:
    """Let one thing happen after the other. Whatever was broken heals before it is broken again."""
    events, weights = zip(*EVERY, strict=True)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        (event,) = drawn.choices(events, weights)
        happened[event.__name__] += 1
        try:
            event(world)
        except AssertionError as failed:
            wrong.append(str(failed))
        time.sleep(drawn.uniform(0.0, 0.5))


def _report(world: World, watch: Watch, happened: Counter[str], wrong: list[str], log: list[str]) -> None:
    print("\nwhat happened")
    for name, times in happened.most_common():
        print(f"  {times:6}  {name.replace('_', ' ')}")
    print("\nwhat was answered")
    for code, times in watch.told.most_common():
        print(f"  {times:6}  {code}")
    print(f"\nkeys: {len(world.live)} live, {len(world.revoked)} ended, {len(world.unsure)} of which nobody was told")
    print("\nthe audit log")
    for line in log:
        print(f"  {line}")
    if not watch.told["allowed"] or not world.revoked:
        wrong.append("nothing was allowed, or nothing was ended: this run shows nothing")
    print()
    for line in wrong[:20]:
        print(f"wrong: {line}")
    if wrong:
        print("\nwhat the servers said last")
        for line in world.log.read_text(errors="replace").splitlines()[-_SAID:]:
            print(f"  {line}")
    print("soak: failed" if wrong else "soak: passed")


if __name__ == "__main__":
    sys.exit(main())
