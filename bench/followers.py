"""What followers cost the worker that serves them, as they grow from one to a thousand.

One worker of the control plane on one core; streams that only read, and whoever commits, on another.
"""

import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.listeners import Listeners
from bench.measure import Result
from bench.planes import Planes, issue, told
from bench.process import anonymous, cpu_seconds
from bench.world import NEEDED
from scopekey.server.node import Node

SIZES = (1, 10, 100, 1_000)
CHANGES = 200
IDLE = 20.0
"""Seconds in which nothing changes: as many heartbeats go to each stream."""


class _Setting(NamedTuple):
    """What is measured with: the process that serves the streams, and the memory it held before there were any."""

    node: Node
    listeners: Listeners
    pid: int
    before: int
    changes: int
    idle: float


def bench_followers(folder: Path, *, quick: bool) -> list[Result]:
    """Measure at every size; `quick` makes fewer changes, and waits less."""
    planes = Planes(folder)
    changes, idle = (20, 4.0) if quick else (CHANGES, IDLE)
    results = []
    with planes.serve(pinned=True) as port, planes.opened() as node, Listeners(port, planes.feed_key) as listeners:
        # What every worker has that once served streams is there before the first size.
        listeners.open(1, _here(node))
        listeners.close_streams()
        pid = int(told(port)["worker"])
        setting = _Setting(node, listeners, pid, anonymous(pid), changes, idle)
        for size in SIZES:
            listeners.open(size, _here(node))
            results += _measured(setting, size)
            listeners.close_streams()
    return results


def _measured(setting: _Setting, size: int) -> list[Result]:
    pid, changes, idle = setting.pid, setting.changes, setting.idle
    began, time_began = cpu_seconds(pid), time.monotonic()
    time.sleep(idle)
    busy = (cpu_seconds(pid) - began) / (time.monotonic() - time_began)
    heard = sorted(_heard(setting.node, setting.listeners, at) for at in range(1, changes + 1))
    each = (anonymous(pid) - setting.before) / size
    return [
        Result(
            f"followers.{size}.heard_p99.ms",
            round(heard[int(changes * 0.99)] / 1e6, 2),
            "ms",
            changes,
            f"from the return of the committing call to the last of {size:,} streams having its line; "
            f"half within {median(heard) / 1e6:.2f} ms",
        ),
        Result(
            f"followers.{size}.idle_cpu.percent",
            round(100 * busy, 1),
            "% of a core",
            1,
            f"the worker, while nothing changes for {idle:g} s: a look every 5 ms, a heartbeat to each stream a second",
        ),
        Result(f"followers.{size}.bytes", round(each), "B", size, "anonymous memory of the worker for each stream"),
    ]


def _heard(node: Node, listeners: Listeners, count: int) -> int:
    """Make one change; how long it takes until the last stream has it."""
    issue(node, NEEDED)
    returned = time.monotonic_ns()
    return max(listeners.heard(count)[1] - returned, 0)


def _here(node: Node) -> str:
    place = node.index.place()
    assert place is not None
    return f"after={place.position}&mark={place.mark.hex()}&feed={place.feed_id}"
