"""How many decisions a control plane takes and seals each second, and how long a management call waits meanwhile."""

import multiprocessing
import time
from multiprocessing.synchronize import Event as Stop
from pathlib import Path
from statistics import median

from bench.create import Deployment, postgres_url, sqlite_url
from bench.journal import FILE, KEYS, NODE, RULES, decided
from bench.load import load
from bench.made_log import SEED
from bench.measure import Result
from scopekey.authority.issue_key import issue_key
from scopekey.authority.seal_log import LogSealer
from scopekey.authority.take_decisions import take_batch
from scopekey.replica.batch import Batch
from scopekey.replica.batch_bytes import encode
from scopekey.store.engine import Store
from scopekey.wire.decisions import MAX_RECORDS

BATCHES, QUICK = 300, 30
_CALL_EVERY = 0.02
_CONTEXT = multiprocessing.get_context("spawn")


def bench_ingest(folder: Path, *, quick: bool) -> list[Result]:
    """Measure on SQLite, and on PostgreSQL where its wheel is installed."""
    batches = _batches(folder / "journal", QUICK if quick else BATCHES)
    results = _on("sqlite", sqlite_url(folder / "ingest"), folder / "ingest", batches)
    try:
        with postgres_url() as url:
            results += _on("postgres", url, folder / "ingest-postgres", batches)
    except ModuleNotFoundError as missing:
        note = f"not measured: {missing.name} is not installed"
        results.append(Result("audit.ingest.postgres.per_s", 0, "/s", 0, note))
    slowest = min((one for one in results if one.name.endswith(".per_s") and one.n), key=lambda one: one.value)
    return [
        Result("audit.ingest.per_s", slowest.value, "/s", slowest.n, f"the slower of the two; {slowest.note}"),
        *results,
    ]


def _batches(folder: Path, number: int) -> list[bytes]:
    """Batches of one file as a carrier hands them over, each of a thousand decisions about a thousand keys."""
    events = tuple(decided(load(folder, KEYS, RULES), MAX_RECORDS))
    return [encode(Batch(FILE, at * MAX_RECORDS, 0, events), NODE) for at in range(number)]


def _on(kind: str, url: str, folder: Path, batches: list[bytes]) -> list[Result]:
    deployment = Deployment(url, folder)
    stop, times = _CONTEXT.Event(), _CONTEXT.SimpleQueue()
    sealing = _CONTEXT.Process(target=_seal, args=(url, stop))
    managing = _CONTEXT.Process(target=_manage, args=(url, folder, deployment.caller.id, stop, times))
    sealing.start()
    managing.start()
    # Both have opened the store by then.
    calls: list[float] = [times.get()]
    before = _sealed(deployment.store)
    begun = time.perf_counter()
    for batch in batches:
        take_batch(deployment.store, batch)
    taken = time.perf_counter() - begun
    wanted = before + len(batches) * MAX_RECORDS
    while _sealed(deployment.store) < wanted:
        time.sleep(0.01)
    sealed = time.perf_counter() - begun
    stop.set()
    while (one := times.get()) is not None:
        calls.append(one)
    for process in (sealing, managing):
        process.join()
    deployment.store.close()
    number = len(batches) * MAX_RECORDS
    ordered = sorted(calls)
    return [
        Result(
            f"audit.ingest.{kind}.per_s",
            round(number / sealed),
            "/s",
            number,
            f"taken, sealed and folded, {KEYS:,} keys, two processes; taken alone {number / taken:,.0f}",
        ),
        Result(
            f"audit.ingest.{kind}.manage.p99.ms",
            round(1e3 * ordered[int(len(ordered) * 0.99)], 1),
            "ms",
            len(ordered),
            f"issuing a key meanwhile, in a process of its own; median {1e3 * median(ordered):.1f} ms",
        ),
    ]


def _sealed(store: Store) -> int:
    with store.reading() as tx:
        return tx.log.state().folded


def _seal(url: str, stop: Stop) -> None:
    """What the keeper does."""
    store = Store.open(url)
    seal = LogSealer(store, seed=SEED)
    while not stop.wait(0.05):
        seal()
    store.close()


def _manage(
    url: str, folder: Path, caller: str, stop: Stop, times: "multiprocessing.SimpleQueue[float | None]"
) -> None:
    """Call as a client of the management API does, again and again."""
    deployment = Deployment.again(url, folder / "managing", caller)
    while not stop.is_set():
        begun = time.perf_counter()
        issue_key(deployment.authority, deployment.caller, deployment.asked)
        times.put(time.perf_counter() - begun)
        time.sleep(_CALL_EVERY)
    times.put(None)
    deployment.store.close()
