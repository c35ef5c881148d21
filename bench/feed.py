"""A whole deployment over HTTP: one worker of a gateway tells all it holds, a follower loads it into an empty folder.

The worker is on one core, the follower on another.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.behind import SINK
from bench.deployed import FOLDER
from bench.load import load
from bench.loading import loaded
from bench.measure import Result, short
from bench.planes import told
from bench.process import cpu_seconds
from bench.serving import HOST, serving
from bench.world import World, verifier
from scopekey.enforce.doors import feed
from scopekey.replica.lmdb_index import LmdbIndex

SMALL = 100_000
_LEAST_PER_S = 10_000
"""Keys a second below which it is given up."""


def bench_feed(folder: Path, most: int) -> list[Result]:
    """Measure at 100,000 keys, and at the most there are."""
    return [result for size in sorted({min(SMALL, most), most}) for result in _resync(folder / short(size), size)]


def _resync(folder: Path, size: int) -> list[Result]:
    world = load(folder / "replica", size)
    with _gateway(folder) as port:
        pid = int(told(port)["worker"])
        served = cpu_seconds(pid)
        found = loaded(folder / "follower", f"http://{HOST}:{port}", _follower_key(world), 60 + size / _LEAST_PER_S)
        served = cpu_seconds(pid) - served
    assert _place(folder / "follower") == _place(world.folder)
    # As much as both replicas together is not kept until the run ends.
    shutil.rmtree(folder)
    name = f"feed.resync_{short(size)}"
    note = (
        f"{size:,} keys from a worker of a gateway into an empty folder until they are followed; "
        f"{found.cpu:.1f} s of the follower's core, {served:.1f} s of the worker's"
    )
    return [
        Result(f"{name}.s", round(found.seconds, 1), "s", 1, note),
        Result(f"{name}.per_s", round(size / found.seconds), "1/s", 1, "keys, and a line for each"),
        Result(f"{name}.bytes_per_key", round(found.wire / size, 1), "B", size, "on the wire, as JSON lines"),
    ]


@contextmanager
def _gateway(folder: Path) -> Iterator[int]:
    def worker(name: str, *words: str) -> list[str]:
        return [sys.executable, "-m", "bench.worker", f"bench.behind:{name}", *words]

    with (
        serving(lambda address: worker("sink", address, "--beside")) as sink,
        serving(
            lambda address: worker("gateway", address), **{FOLDER: str(folder), SINK: f"http://{HOST}:{sink}"}
        ) as port,
    ):
        yield port


def _follower_key(world: World) -> str:
    """A key that may follow: some of those that are known hold those permissions too."""
    checking = verifier(world.folder)
    return next(p for p in world.printed if checking.check(p, feed.NEEDED, feed.JOURNAL_NEEDED))


def _place(folder: Path) -> tuple[str, int]:
    index = LmdbIndex(folder)
    try:
        place = index.place()
        assert place is not None
        return place.feed_id, place.position
    finally:
        index.close()
