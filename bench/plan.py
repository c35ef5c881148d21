"""What can be measured: each part by its name, in the order of a whole run.

To add a part, write a function from a `Run` to results in a module of its own, and put it into PLAN.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.against import bench_peers
from bench.check import SIZES, bench_check, profile_check
from bench.create import bench_create, profile_create
from bench.door import bench_doors
from bench.feed import bench_feed
from bench.followers import bench_followers
from bench.growth import bench_growth
from bench.ingest import bench_ingest
from bench.journal import bench_journal
from bench.log import bench_log
from bench.look_up import bench_rules
from bench.measure import Result
from bench.middleware import bench_middleware, profile_middleware
from bench.parts import bench_parts
from bench.proxies import bench_proxies
from bench.revocation import bench_revocation
from bench.strict import bench_strict


class Run(NamedTuple):
    """One run: a folder for the part's own files, and how many keys are the most."""

    folder: Path
    keys: int

    @property
    def quick(self) -> bool:
        """Whether this run only looks that all of it works: what it finds is of the right order, and no more."""
        return self.keys < max(SIZES)

    def sizes(self) -> list[int]:
        """The sizes of replicas up to the largest of this run."""
        return [*(size for size in SIZES if size < self.keys), self.keys]


class Part(NamedTuple):
    """Something that is measured by itself. `profile` runs it for the profiler to look at."""

    name: str
    measure: Callable[[Run], list[Result]]
    profile: Callable[[Path], None] | None = None


# The largest replica comes last: what it leaves in the page cache slows nothing else down.
PLAN = (
    Part("rules", lambda _: bench_rules()),
    Part("middleware", lambda run: bench_middleware(run.folder), profile_middleware),
    Part("doors", lambda run: bench_doors(run.folder)),
    Part("proxies", lambda run: bench_proxies(run.folder)),
    Part("journal", lambda run: bench_journal(run.folder)),
    Part("strict", lambda run: bench_strict(run.folder)),
    Part("ingest", lambda run: bench_ingest(run.folder, quick=run.quick)),
    Part("log", lambda run: bench_log(run.folder, run.keys)),
    Part("create", lambda run: bench_create(run.folder), profile_create),
    Part("parts", lambda run: bench_parts(run.folder)),
    Part("revocation", lambda run: bench_revocation(run.folder, quick=run.quick)),
    Part("followers", lambda run: bench_followers(run.folder, quick=run.quick)),
    Part("growth", lambda run: bench_growth(run.folder)),
    Part("peers", lambda run: bench_peers(run.folder)),
    Part("feed", lambda run: bench_feed(run.folder, run.keys)),
    Part("check", lambda run: bench_check(run.folder, run.sizes()), profile_check),
)
PARTS = {part.name: part for part in PLAN}
