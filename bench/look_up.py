"""The rule look-up: reading the raw target, and finding what decides it."""

import time
from statistics import median

from bench.measure import ROUNDS, Result, Round, interleaved
from bench.operations import Table, tables
from scopekey.core.target import Target, UnreadableTarget, read_target

_CALLS = 20_000
_EACH = 200
_LONGEST, _HUGE = 8_192, 65_536
# What long targets have been made of: slashes, dots, percent signs, long segments, escapes of every kind.
_UNITS = (
    "/",
    "/a",
    "/v2",
    "/4711",
    ".",
    "/.",
    "/..",
    "/a.a",
    "a",
    "%",
    "%7E",
    "%2e",
    "%2F",
    "%25",
    "/%C3%A9",
    ";",
    "\\",
    "?",
)


def bench_rules() -> list[Result]:
    """Measure every table: all of its operations in random order, and the one that takes longest."""
    found = {str(len(table.calls)): table for table in tables()}
    timings = interleaved({size: looking(table) for size, table in found.items()})
    results = []
    for size, table in found.items():
        results.append(timings[size].result(f"rules.{size}.ns", f"all operations shuffled, of {table.source}"))
        results.append(_worst(size, table))
        results.append(_hostile(size, table))
    return results


def looking(table: Table) -> Round:
    """A round of look-ups of all operations of a table, the raw targets read first."""
    match, calls = table.matcher.match, (table.calls * (_CALLS // len(table.calls) + 1))[:_CALLS]
    assert all(match(method, _segments(target)) for method, target in table.calls)

    def round_() -> int:
        for method, raw in calls:
            target = read_target(raw)
            if isinstance(target, Target):
                match(method, target.segments)
        return len(calls)

    return round_


def _worst(size: str, table: Table) -> Result:
    """The operation whose look-up takes longest; of each the best of several tries, so that noise is none."""
    worst, call = max((_best(table, *call), call) for call in table.calls)
    told = f"{call[0]} {call[1].decode()}"
    return Result(f"rules.{size}.worst.ns", round(worst, 1), "ns", _EACH * ROUNDS, f"{told}; best of {ROUNDS} tries")


def _hostile(size: str, table: Table) -> Result:
    """The long target that takes longest to be read and looked up, or refused."""
    begun = {unit: unit if unit.startswith("/") else f"/{unit}" for unit in _UNITS}
    targets = [(first + unit * length)[:length] for unit, first in begun.items() for length in (_LONGEST, _HUGE)]
    worst, told = max((_once(table, raw.encode()), f"{len(raw):,} bytes of {raw[:8]}…") for raw in targets)
    return Result(f"rules.{size}.hostile.ns", worst, "ns", ROUNDS, f"{told}; median of {ROUNDS} tries")


def _once(table: Table, raw: bytes) -> int:
    tries = []
    for _ in range(ROUNDS):
        begun = time.perf_counter_ns()
        target = read_target(raw)
        if isinstance(target, Target):
            table.matcher.match("GET", target.segments)
        tries.append(time.perf_counter_ns() - begun)
    return int(median(tries))


def _best(table: Table, method: str, raw: bytes) -> float:
    match, tries = table.matcher.match, []
    for _ in range(ROUNDS):
        begun = time.perf_counter_ns()
        for _ in range(_EACH):
            match(method, _segments(raw))
        tries.append((time.perf_counter_ns() - begun) / _EACH)
    return min(tries)


def _segments(raw: bytes) -> tuple[str, ...]:
    target = read_target(raw)
    if isinstance(target, UnreadableTarget):
        raise TypeError(f"{raw!r} cannot be read: {target.why}")
    return target.segments
