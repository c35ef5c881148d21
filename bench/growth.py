"""What a check costs as permissions and organizations get more, and a rule look-up as operations do.

How it grows with the number of keys is in `bench.check`, which loads them all.
"""

from pathlib import Path

from bench.check import checking
from bench.load import load_population
from bench.look_up import looking
from bench.measure import Result, Round, interleaved
from bench.operations import MOST, tables_by_size
from bench.world import Population
from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register

RULES = (10, 50, 215, 500, 1_049, MOST)
PERMISSIONS = (10, 46, 100, 300, 600)
ORGANIZATIONS = (1, 100, 10_000, 100_000)
_KEYS_OF_PERMISSIONS, _KEYS_OF_ORGANIZATIONS = 10_000, 100_000


def bench_growth(folder: Path) -> list[Result]:
    rules = {size: looking(table) for size, table in zip(RULES, tables_by_size(RULES), strict=True)}
    permissions = {size: checking(load_population(folder / f"p{size}", _holding(size))) for size in PERMISSIONS}
    owned = {
        size: checking(load_population(folder / f"o{size}", Population(_KEYS_OF_ORGANIZATIONS, organizations=size)))
        for size in ORGANIZATIONS
    }
    keys = f"check of {_KEYS_OF_PERMISSIONS:,} keys which each hold about half of them, and Scopekey's own 18; "
    keys += "a grant beyond 64 bits is kept in the longer form of a record"
    spread = f"check of {_KEYS_OF_ORGANIZATIONS:,} keys that belong to so many organizations in turn"
    return [
        *_grown("rules", "reading the raw target and looking up its rule in so many operations", rules),
        *_grown("permissions", keys, permissions),
        *_grown("organizations", spread, owned),
    ]


def _grown(what: str, note: str, rounds: dict[int, Round]) -> list[Result]:
    timings = interleaved({str(size): round_ for size, round_ in rounds.items()})
    return [timing.result(f"growth.{what}.{size}.ns", note) for size, timing in timings.items()]


def _holding(permissions: int) -> Population:
    """Keys under a catalog of so many permissions; what is asked for is the last of them."""
    resources = tuple(
        Resource(f"resource_{at}", f"Resource {at}", "Made up", ("read", "write")) for at in range(permissions // 2)
    )
    register = Register.first(Catalog("made_up", resources))
    return Population(_KEYS_OF_PERMISSIONS, register=register, needed=f"{resources[-1].name}:write")
