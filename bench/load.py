"""Loads replicas of any size in bulk, the way a node that starts anew does."""

import time
from collections import deque
from pathlib import Path
from random import Random

from bench.world import Population, World
from scopekey.core.rules import Rules
from scopekey.replica.lmdb_index import LmdbIndex


def load(folder: Path, count: int, rules: Rules | None = None) -> World:
    """Load `count` keys into a new replica."""
    return load_population(folder, Population(count, rules))


def load_population(folder: Path, population: Population) -> World:
    """Load keys of any kind into a new replica."""
    count = population.count
    begun = time.perf_counter()
    with LmdbIndex(folder).writing() as writer:
        writer.load(population.place, population.snapshot())
    loaded = time.perf_counter() - begun
    making = _making(min(count, 1_000_000)) * count / min(count, 1_000_000)
    printed = list(population.printed)
    Random(1).shuffle(printed)
    return World(count, folder, printed, loaded, making, population.needed)


def _making(count: int) -> float:
    begun = time.perf_counter()
    deque(Population(count).snapshot(), maxlen=0)
    return time.perf_counter() - begun
