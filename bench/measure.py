"""How things are timed: in interleaved rounds, so that a machine that changes its pace changes it for all of them."""

import time
from collections.abc import Callable, Mapping
from statistics import median

import msgspec

ROUNDS = 7


class Result(msgspec.Struct, frozen=True):
    """One figure of the report: `n` is how many times it was measured in all, `note` what else there is to say."""

    name: str
    value: float
    unit: str
    n: int
    note: str = ""


class Timing(msgspec.Struct, frozen=True):
    """The time of one call in nanoseconds: median, least and greatest of the rounds; `n` calls in all."""

    median: float
    least: float
    greatest: float
    n: int

    @classmethod
    def of(cls, rounds: list[float], n: int) -> "Timing":
        """Sum up the rounds."""
        return cls(median(rounds), min(rounds), max(rounds), n)

    @property
    def spread(self) -> str:
        """The fastest and the slowest round, in words."""
        return f"{self.least:,.0f} to {self.greatest:,.0f} ns"

    def result(self, name: str, note: str = "") -> Result:
        """Write it as a figure of the report."""
        said = f"rounds: {self.spread}"
        return Result(name, round(self.median, 1), "ns", self.n, f"{note}; {said}" if note else said)


Round = Callable[[], int]
"""Does something many times, and says how often."""


def interleaved(subjects: Mapping[str, Round], rounds: int = ROUNDS) -> dict[str, Timing]:
    """Time each subject once per round, A B C A B C. One round before that counts for nothing."""
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    calls = dict.fromkeys(subjects, 0)
    for at in range(rounds + 1):
        for name, subject in subjects.items():
            begun = time.perf_counter_ns()
            count = subject()
            each = (time.perf_counter_ns() - begun) / count
            if at:
                taken[name].append(each)
                calls[name] += count
    return {name: Timing.of(found, calls[name]) for name, found in taken.items()}


def short(count: int) -> str:
    """Write a size as names have it: 1k, 100k, 10m."""
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if count >= size and count % size == 0:
            return f"{count // size}{letter}"
    return str(count)
