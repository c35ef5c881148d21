"""A peer behind a server: one view on one worker under one load, unguarded, guarded by the peer, and by Scopekey.

All on gunicorn as it is set by default (one worker that takes one request at a time, a connection for each), and an
empty application behind the ASGI middleware on uvicorn, which is how Scopekey is run.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from bench.companion import ROOT, CompanionError
from bench.deployed import FOLDER, deploy
from bench.measure import Result, Round, Timing, interleaved
from bench.serving import serving
from bench.traffic import get, traffic

KEYS = 1_000
_CONNECTIONS = 16
_REQUESTS = {"open": 600, "drf_api_key": 400, "scopekey": 600, "asgi": 5_000}
"""Requests of one round: about half a second each."""
_REST = 0.5


class Site(msgspec.Struct, frozen=True):
    """What the site said when it was made: its keys and its versions."""

    keys: list[str]
    version: str


def bench_drf(python: Path, folder: Path) -> list[Result]:
    """Measure djangorestframework-api-key. Raises CompanionError where it cannot be."""
    world = deploy(folder, KEYS)
    site = _made(python, folder)
    theirs, ours = [f"Api-Key {key}" for key in site.keys], [f"Bearer {key}" for key in world.printed]
    with ExitStack() as stack:
        rounds: dict[str, Round] = {}
        for name, count in _REQUESTS.items():
            port = stack.enter_context(serving(_command(python, name), **_environment(folder, name)))
            requests = _requests(theirs if name in {"open", "drf_api_key"} else ours, count)
            load = traffic(port, requests, folder / f"{name}.json", _CONNECTIONS)
            rounds[name] = stack.enter_context(load).round("load")
            # The journal writes what is left of a round while nobody else is measured.
            rounds[f"rest after {name}"] = _rest
        found = interleaved(rounds)
    return _results(found, site.version)


def _made(python: Path, folder: Path) -> Site:
    done = subprocess.run(
        [python, "-m", "bench.peers.drf_site", f"{KEYS}"],
        env={**os.environ, **_environment(folder, "open")},
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise CompanionError(f"the site could not be made: {done.stderr.decode().strip()[-300:]}")
    return msgspec.json.decode(done.stdout, type=Site)


def _environment(folder: Path, guard: str) -> dict[str, str]:
    return {FOLDER: str(folder), "BENCH_GUARD": guard, "PYTHONPATH": str(ROOT / "src")}


def _command(python: Path, name: str) -> Callable[[str], list[str]]:
    if name == "asgi":
        serve = [sys.executable, "-m", "uvicorn", "--factory", "bench.guarded:create", "--log-level", "warning"]
        return lambda at: [*serve, "--no-access-log", "--host", at.partition(":")[0], "--port", at.partition(":")[2]]
    return lambda at: [str(python), "-m", "gunicorn", "--bind", at, "bench.peers.drf_site:application"]


def _requests(credentials: list[str], count: int) -> list[str]:
    each = (credentials * (count // len(credentials) + 1))[:count]
    return [get(f"/datasets/{at}/sample", authorization=credential) for at, credential in enumerate(each)]


def _rest() -> int:
    time.sleep(_REST)
    return 1


def _results(found: Mapping[str, Timing], versions: str) -> list[Result]:
    unguarded, theirs, ours, asgi = (found[name] for name in _REQUESTS)
    same = "the same view of Django REST framework on the same gunicorn, one worker, 16 connections, 1,000 keys each"
    does = "HasAPIKey finds the key in SQLite and compares its digest: no scopes, no rules, no record"
    served = "an empty application behind the middleware on uvicorn, one worker, against HasAPIKey's view on gunicorn"
    return [
        _per_second("peer.drf_api_key.unguarded.per_s", unguarded, "the view alone, behind no guard at all"),
        _per_second("peer.drf_api_key.per_s", theirs, f"{versions}; {does}"),
        _per_second("peer.drf_api_key.scopekey.per_s", ours, "a permission class that asks the guard, and records"),
        _ratio("peer.drf_api_key.ratio", theirs.median / ours.median, theirs, same),
        _per_second("peer.drf_api_key_asgi.scopekey.per_s", asgi, "the middleware in front of an empty application"),
        _ratio("peer.drf_api_key_asgi.ratio", theirs.median / asgi.median, asgi, f"{served}: frameworks and all"),
    ]


def _per_second(name: str, timing: Timing, note: str) -> Result:
    said = f"{note}; rounds: {1e9 / timing.greatest:,.0f} to {1e9 / timing.least:,.0f}"
    return Result(name, round(1e9 / timing.median), "1/s", timing.n, said)


def _ratio(name: str, value: float, timing: Timing, note: str) -> Result:
    return Result(name, round(value, 2), "×", timing.n, note)
