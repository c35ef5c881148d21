"""What it costs that every decision is on the disk before its answer: strict against relaxed, over HTTP."""

import sys
from contextlib import ExitStack
from pathlib import Path

from bench.deployed import FOLDER, MODE, deploy
from bench.measure import Result, interleaved
from bench.serving import serving
from bench.traffic import CONNECTIONS, get, traffic

KEYS, REQUESTS = 1_000, 10_000
MODES = ("strict", "writes", "relaxed")


def bench_strict(folder: Path) -> list[Result]:
    """Measure an empty ASGI application behind the middleware, once for each mode of the journal."""
    with ExitStack() as stack:
        rounds = {}
        for mode in MODES:
            place = folder / mode
            printed = deploy(place, KEYS).printed
            requests = [
                get(f"/datasets/{at}/sample", Authorization=f"Bearer {printed[at % len(printed)]}")
                for at in range(REQUESTS)
            ]
            port = stack.enter_context(serving(_command, **{FOLDER: str(place), MODE: mode}))
            load = stack.enter_context(traffic(port, requests, folder / f"{mode}.json"))
            rounds[mode] = load.round("load")
        found = interleaved(rounds)
    strict, relaxed, writes = found["strict"], found["relaxed"], found["writes"]
    note = (
        f"answers per second, one worker, {CONNECTIONS} connections, reads alone; strict {1e9 / strict.median:,.0f}, "
        f"writes {1e9 / writes.median:,.0f}, relaxed {1e9 / relaxed.median:,.0f}"
    )
    return [Result("journal.strict_vs_relaxed", round(relaxed.median / strict.median, 3), "×", strict.n, note)]


def _command(address: str) -> list[str]:
    return [sys.executable, "-m", "bench.worker", "bench.guarded:create", address]
