"""Measure, print the tables, and write ``bench/results.json``."""

import argparse
import cProfile
import logging
import pstats
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.check import SIZES
from bench.measure import Result
from bench.plan import PARTS, Run
from bench.report import machine, show, write

LARGE, QUICK = max(SIZES), 100_000
RESULTS = Path(__file__).with_name("results.json")
PROFILES = {name: part.profile for name, part in PARTS.items() if part.profile is not None}


def main() -> None:
    asked = _asked()
    # A run that is ended from outside removes its files too: ten million keys are a gigabyte.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # What is said of every migration, and of every journal that only remembers, is no news here.
    for chatty in ("alembic", "scopekey"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="scopekey-bench-", dir=asked.folder) as folder:
        if asked.profile:
            _profile(PROFILES[asked.profile], Path(folder))
            return
        results = _measured(Path(folder), asked)
    show(results)
    output = asked.output or (RESULTS if not asked.partial else None)
    if output is None:
        print("Not a whole run: bench/results.json is left as it is (--output PATH writes it elsewhere).")
    else:
        write(results, output)
        print(f"Written to {output}.")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} keys are the most")
    parser.add_argument("--keys", type=int, default=LARGE, help="how many keys are the most (default: %(default)s)")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--profile", choices=PROFILES, help="print where the time goes instead")
    parser.add_argument("--output", type=Path, help="write the results here")
    parser.add_argument("--folder", type=Path, help="put the temporary files here: 3 GB at 10 million keys")
    asked = parser.parse_args()
    asked.keys = QUICK if asked.quick else asked.keys
    asked.partial = asked.keys != LARGE or asked.only is not None
    return asked


def _measured(folder: Path, asked: argparse.Namespace) -> list[Result]:
    results = [machine()]
    for name in asked.only or PARTS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        results += PARTS[name].measure(Run(folder / name, asked.keys))
    return results


def _profile(run: Callable[[Path], None], folder: Path) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    run(folder)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
