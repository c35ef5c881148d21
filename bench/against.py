"""Scopekey beside its peers, each as its own documentation begins, in the same rounds.

Peers live in `.venv-peers` (`requirements/peers.txt`, which `make bench` installs). One that is not there is said and
left out: nothing fails for want of a peer. A ratio above 1 says how much quicker Scopekey answers.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.check import SMALL, checking
from bench.companion import ROOT, Companion, CompanionError
from bench.deployed import FOLDER
from bench.load import load
from bench.measure import Result, Round, Timing, interleaved
from bench.peers_http import bench_drf

PYTHON = ROOT / ".venv-peers" / "bin" / "python"
OURS = "scopekey"

_KEYSHIELD = {
    "shipped": ("keyshield", "verify_key as shipped: an Argon2 and 100 to 300 ms of deliberate delay for each"),
    "undelayed": ("keyshield_undelayed", "verify_key with its deliberate delay set to none: the Argon2"),
    "cached": (
        "keyshield_cached",
        "its documented cache with every key in it, no delay; it writes the last use in memory",
    ),
}
_CASBIN = {
    "enforce": ("casbin", "Enforcer: 1,000 policies of 100 subjects over 46 permissions; it is told who asks"),
    "fast": ("casbin_fast", "FastEnforcer keyed by subject, which leaves it 10 policies to look at"),
}

_DRF = {
    "is_valid": ("drf_api_key_check", "APIKey.objects.is_valid on SQLite: the key alone, no scopes and no record"),
}


def bench_peers(folder: Path, python: Path = PYTHON) -> list[Result]:
    check = checking(load(folder / "replica", SMALL))
    measures: dict[str, Callable[[], list[Result]]] = {
        "keyshield": lambda: _in_process(_program(python, "keyshield"), _KEYSHIELD, check),
        "casbin": lambda: _in_process(_program(python, "casbin"), _CASBIN, check),
        "djangorestframework-api-key": lambda: _in_process(_program(python, "drf_api_key", folder), _DRF, check),
        "djangorestframework-api-key over HTTP": lambda: bench_drf(python, folder / "drf"),
    }
    results = []
    for name, measure in measures.items():
        try:
            results += measure()
        except (CompanionError, OSError, subprocess.SubprocessError) as error:
            print(f"peers: {name} is not measured: {error}", file=sys.stderr, flush=True)
    return results


def _program(python: Path, peer: str, folder: Path | None = None) -> Callable[[], Companion]:
    environment = {} if folder is None else {FOLDER: str(folder)}
    return lambda: Companion(str(python), "-m", f"bench.peers.with_{peer}", **environment)


def _in_process(
    program: Callable[[], Companion], subjects: Mapping[str, tuple[str, str]], check: Round
) -> list[Result]:
    with program() as companion:
        found = interleaved({OURS: check} | {subject: companion.round(subject) for subject in subjects})
        about = companion.about["version"]
    return [
        result
        for subject, (name, note) in subjects.items()
        for result in _compared(name, found[subject], found[OURS], f"{about}; {note}")
    ]


def _compared(name: str, theirs: Timing, ours: Timing, note: str) -> Iterator[Result]:
    spread = f"rounds: {theirs.least / 1e3:,.1f} to {theirs.greatest / 1e3:,.1f} µs"
    yield Result(f"peer.{name}.us", round(theirs.median / 1e3, 2), "µs", theirs.n, f"{note}; {spread}")
    check = f"{ours.median / 1e3:.2f} µs for {SMALL:,} keys, key and digest included, not recorded"
    said = f"Scopekey's check in the same rounds: {check}"
    yield Result(f"peer.{name}.ratio", round(theirs.median / ours.median, 2), "×", theirs.n, said)
