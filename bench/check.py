"""The check in process, over replicas of several sizes, beside the digest it cannot do without."""

import time
from pathlib import Path

from bench.fresh import Fresh, fresh
from bench.load import load
from bench.measure import Result, Round, Timing, interleaved, short
from bench.world import PEPPER, World, verifier
from scopekey.replica.kept import NOTHING_KEPT

SMALL = 1_000
SIZES = (SMALL, 10_000, 100_000, 1_000_000, 10_000_000)
CALLS = 40_000
"""Calls of one round."""


def bench_check(folder: Path, sizes: list[int]) -> list[Result]:
    """Measure at every size; the last one is the largest."""
    worlds = [load(folder / short(size), size) for size in sizes]
    read = {short(world.keys): checking(world) for world in worlds}
    again = {f"{short(world.keys)}.again": checking(world, again=True) for world in worlds}
    timings = interleaved(read | again | {"digest": digesting(worlds[-1])})
    largest = worlds[-1]
    size, digest, at = short(largest.keys), timings["digest"], f"at {largest.keys:,} keys"
    return [
        digest.result("digest.ns", "Pepper.digest of the same printed keys, in the same rounds"),
        *(timings[name].result(f"check.{name}.ns", "every key is read from the file") for name in read),
        *(timings[name].result(f"check.{name}.ns", "keys that were read since the last change") for name in again),
        _ratio("check.vs_digest", timings[size], digest, f"{at}, every key read from the file"),
        _ratio("check.again_vs_digest", timings[f"{size}.again"], digest, f"{at}, keys read since the last change"),
        *_memory(worlds[0], largest),
        _resync(largest),
    ]


def checking(world: World, *, again: bool = False) -> Round:
    """A round of checks of random keys among all: each as if something had just changed, or keys that come again."""
    checked = verifier(world.folder)
    check, index, needed = checked.check, checked.index, world.needed
    printed = repeated(world.printed)
    passes = [printed[at : at + len(world.printed)] for at in range(0, len(printed), len(world.printed))]
    refused = [one for one in world.printed if not check(one, needed)]
    assert not refused, f"{len(refused)} keys that were loaded are refused"

    def round_() -> int:
        for some in passes:
            if not again:
                # What a change of any key does: all are read from the file anew.
                index._kept = NOTHING_KEPT
            for one in some:
                check(one, needed)
        return len(printed)

    return round_


def digesting(world: World) -> Round:
    """A round of bare digests of the same keys."""
    digest, printed = PEPPER.digest, repeated(world.printed)

    def round_() -> int:
        for one in printed:
            digest(one)
        return len(printed)

    return round_


def repeated(printed: list[str]) -> list[str]:
    """As many keys as a round has calls, the same ones again where there are fewer."""
    return (printed * (CALLS // len(printed) + 1))[:CALLS]


def _ratio(name: str, timing: Timing, base: Timing, note: str) -> Result:
    said = f"{note}; digest {base.spread}, check {timing.spread}"
    return Result(name, round(timing.median / base.median, 2), "×", timing.n, said)


def _memory(small: World, large: World) -> list[Result]:
    """What a process that only reads holds for itself, and how soon it answers: fresh processes, in turn."""
    pairs = [(fresh(small), fresh(large)) for _ in range(5)]
    each = sorted((of_large.private - of_small.private) / large.keys for of_small, of_large in pairs)
    first = sorted(of_large.first_answer for _, of_large in pairs)
    return [
        Result("replica.bytes_per_key", round(large.file_bytes() / large.keys, 1), "B", large.keys, "files on disk"),
        Result("replica.private_bytes_per_key", round(each[2], 3), "B", 5, _private_note(small, large, pairs)),
        Result(
            "replica.first_answer.s",
            round(first[2], 5),
            "s",
            5,
            f"fresh processes, from the start of opening, imports not counted, file in the page cache; "
            f"{first[0]:.4f} to {first[-1]:.4f} s; {large.keys:,} keys",
        ),
    ]


def _private_note(small: World, large: World, pairs: list[tuple[Fresh, Fresh]]) -> str:
    median_small = sorted(a.private for a, _ in pairs)[2] / 1e6
    median_large = sorted(b.private for _, b in pairs)[2] / 1e6
    return (
        f"anonymous memory of a process that checked {len(large.printed):,} keys: {median_large:.2f} MB at "
        f"{large.keys:,} keys, {median_small:.2f} MB at {small.keys:,}, a bounded number of "
        "unpacked keys included; the file's pages are shared by all processes"
    )


def _resync(world: World) -> Result:
    note = (
        f"bulk load in the order of ids, {world.making_seconds:.0f} s of it making the keys; "
        "reading them from a store is not in it"
    )
    return Result(f"replica.resync_{short(world.keys)}.s", round(world.load_seconds, 1), "s", 1, note)


def profile_check(folder: Path) -> None:
    """What the profiler looks at."""
    round_ = checking(load(folder / "profile", SMALL))
    begun = time.perf_counter()
    while time.perf_counter() - begun < 1.5:
        round_()
