"""What `/metrics` tells: every metric there is, and how it is read off a process. Nothing is told about tenants."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scopekey.enforce.doors.run import Numbers
from scopekey.replica.carrier import LOCK
from scopekey.replica.decided import CODES
from scopekey.replica.handed_over import handed_over_until
from scopekey.replica.journal_file import bytes_in


class Told(NamedTuple):
    """A metric, as people read about it. `label` is the one it has, where it has one."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    label: str | None = None


CHECKS = (
    Told(
        "scopekey_decisions_total",
        "counter",
        "Checks by the code they came to, `allowed` or that of a refusal; all codes are there from the start.",
        "code",
    ),
)
REPLICA = (
    Told("scopekey_replica_position", "gauge", "How far the replica has come in the history of its control plane."),
    Told(
        "scopekey_replica_age_seconds", "gauge", "How far the replica may be behind; `+Inf` where it was never level."
    ),
    Told("scopekey_replica_behind", "gauge", "1 while the replica is older than `SCOPEKEY_STALE_AFTER`, else 0."),
)
JOURNAL = (
    Told("scopekey_journal_waiting", "gauge", "Decisions that are in memory alone, soon to be written."),
    Told("scopekey_journal_lost_total", "counter", "Decisions that were lost for want of room. It must stay 0."),
    Told("scopekey_journal_bytes", "gauge", "Size of the journal's files in the home folder."),
    Told("scopekey_journal_limit_bytes", "gauge", "What that size may grow to: `SCOPEKEY_JOURNAL_LIMIT`."),
    Told(
        "scopekey_journal_lag_seconds",
        "gauge",
        "Since when there may be decisions in the files that are not handed over. Not told before any were.",
    ),
)
LOG = (
    Told("scopekey_store_up", "gauge", "1 while the store answers within a second, else 0: the log is not told then."),
    Told("scopekey_log_size", "gauge", "Entries of the audit log."),
    Told("scopekey_log_waiting", "gauge", "Entries that have arrived and are not sealed yet."),
    Told(
        "scopekey_log_checkpoint_timestamp_seconds",
        "gauge",
        "When the newest checkpoint was signed, since the epoch. Not told before the first one.",
    ),
)
PROCESS = (
    Told("process_cpu_seconds_total", "counter", "Processor time, in user and system mode.", "process"),
    Told("process_resident_memory_bytes", "gauge", "Memory that is in use.", "process"),
    Told("process_virtual_memory_bytes", "gauge", "Address space, the mapped replica included.", "process"),
    Told("process_open_fds", "gauge", "File descriptors that are open.", "process"),
    Told("process_max_fds", "gauge", "File descriptors that may be open.", "process"),
    Told("process_start_time_seconds", "gauge", "When the process was started, since the epoch.", "process"),
)
METRICS = (*CHECKS, *REPLICA, *JOURNAL, *LOG, *PROCESS)
_TOLD = {told.name: told for told in METRICS}


class LogNumbers(NamedTuple):
    """What a process with the store tells of the audit log. `sealed` is in milliseconds since the epoch."""

    size: int
    waiting: int
    sealed: int | None


class ReplicaNumbers(NamedTuple):
    """What the replica tells. `age` is in milliseconds, None where it was never level."""

    position: int
    age: int | None
    behind: bool


class JournalFolder(NamedTuple):
    """Where the journal of a home folder lies, and how many bytes it may have."""

    path: Path
    limit: int


class Reading(Collector):
    """One look at everything, as the families that are written out."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of it."""
        return self._families

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self)


def of_processes(processes: list[Numbers]) -> Iterator[Metric]:
    """What the processes of a run counted, together."""
    decided = {code: float(sum(numbers.decided.get(code, 0) for numbers in processes)) for code in CODES}
    yield _family("scopekey_decisions_total", decided)
    yield _family("scopekey_journal_lost_total", sum(numbers.lost for numbers in processes))
    yield _family("scopekey_journal_waiting", sum(numbers.waiting for numbers in processes if numbers.lives))


def of_replica(replica: ReplicaNumbers) -> Iterator[Metric]:
    """What the replica tells."""
    yield _family("scopekey_replica_position", replica.position)
    yield _family("scopekey_replica_age_seconds", float("inf") if replica.age is None else replica.age / 1_000)
    yield _family("scopekey_replica_behind", int(replica.behind))


def of_journal(folder: JournalFolder, now: int) -> Iterator[Metric]:
    """What lies in a journal's folder."""
    try:
        size = bytes_in(folder.path)
    except OSError:
        size = 0
    yield _family("scopekey_journal_bytes", size)
    yield _family("scopekey_journal_limit_bytes", folder.limit)
    until = handed_over_until(folder.path / LOCK)
    if until is not None:
        yield _family("scopekey_journal_lag_seconds", max(0, now - until) / 1_000)


def of_log(log: LogNumbers | None) -> Iterator[Metric]:
    """What the store tells; None where it does not answer."""
    yield _family("scopekey_store_up", int(log is not None))
    if log is not None:
        yield _family("scopekey_log_size", log.size)
        yield _family("scopekey_log_waiting", log.waiting)
        if log.sealed is not None:
            yield _family("scopekey_log_checkpoint_timestamp_seconds", log.sealed / 1_000)


def of_machine(processes: list[Numbers]) -> Iterator[Metric]:
    """What the system tells of each process that lives; nothing where it has no `/proc`."""
    found: dict[str, dict[str, float]] = {}
    for numbers in processes:
        if numbers.lives:
            for family in ProcessCollector(pid=partial(int, numbers.pid), registry=None).collect():
                for sample in family.samples:
                    found.setdefault(sample.name, {})[numbers.process] = sample.value
    return (_family(name, values) for name, values in found.items() if name in _TOLD)


class LogWatch:
    """Asks a store about its log, at most once a second, and waits no longer than that for the answer."""

    def __init__(self, ask: Callable[[], LogNumbers], patience: float = 1.0) -> None:
        self._ask = ask
        self._patience = patience
        self._asked = 0.0
        self._asking: Future[LogNumbers] | None = None
        self._thread = ThreadPoolExecutor(1, "scopekey-log-numbers")

    async def numbers(self) -> LogNumbers | None:
        """What it says; None where it does not answer."""
        now = time.monotonic()
        asking = self._asking
        # Anybody may ask for metrics: a slow store is not asked again before it has answered.
        if asking is None or (asking.done() and now - self._asked > self._patience):
            self._asked = now
            asking = self._asking = self._thread.submit(self._ask)
        if not asking.done():
            await asyncio.wait({asyncio.wrap_future(asking)}, timeout=self._patience)
        return asking.result() if asking.done() and asking.exception() is None else None


def _family(name: str, value: float | dict[str, float]) -> Metric:
    told = _TOLD[name]
    make = CounterMetricFamily if told.kind == "counter" else GaugeMetricFamily
    family = make(name.removesuffix("_total"), told.meaning, labels=[told.label] if told.label else [])
    if isinstance(value, dict):
        for label, one in value.items():
            family.add_metric([label], one)
    else:
        family.add_metric([], value)
    return family
