"""Takes jobs in, runs them on a few threads, and cancels them."""

import logging
import threading
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from scopekey.demo.dataset_store import DatasetStore
from scopekey.demo.engine import Engine
from scopekey.demo.job_store import Job, JobStore
from scopekey.demo.limits import Limits
from scopekey.demo.problems import Refused
from scopekey.demo.query_runner import Failure, QueryRun, Result
from scopekey.demo.query_store import SavedQuery
from scopekey.demo.select_only import RefusedSql, Select, read_select
from scopekey.demo.text import same_name

_log = logging.getLogger(__name__)


class JobDesk:
    """The jobs of the platform, and the threads that run them."""

    def __init__(self, engine: Engine, datasets: DatasetStore, limits: Limits) -> None:
        self.store: JobStore = JobStore(engine, limits.kept_jobs)
        self._engine, self._datasets, self._limits = engine, datasets, limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="job")
        self._lock = threading.Lock()
        self._runs: dict[int, QueryRun] = {}

    def submit(self, query: SavedQuery) -> Job:
        """A new job for `query`. Refused (503) while too many wait."""
        return self.start(query)[0]

    def start(self, query: SavedQuery) -> tuple[Job, Future[None]]:
        """A new job for `query`, and what tells when it has ended. Refused (503) while too many wait."""
        with self._lock:
            if self.store.waiting() >= self._limits.waiting_jobs:
                detail = f"{self._limits.waiting_jobs} jobs are waiting already; try again shortly."
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, headers={"Retry-After": "5"})
            job = self.store.create(query)
            self._runs[job.id] = QueryRun()
        return job, self._pool.submit(self._work, job.id, query.sql)

    def cancel(self, number: int) -> Job:
        """Stop a job. Refused (409) where it has ended."""
        job = self.store.get(number)
        if job.ended:
            raise Refused(HTTPStatus.CONFLICT, "job_ended", f"Job {number} has ended: {job.state}.")
        self.store.cancel_pending(number)
        with self._lock:
            run = self._runs.get(number)
        if run:
            run.stop()
        return self.store.get(number)

    def close(self) -> None:
        """Stop what runs, forget what waits, and return when every thread has ended."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.stop()
        self._pool.shutdown(cancel_futures=True)

    def _work(self, number: int, sql: str) -> None:
        run = self._runs[number]
        try:
            if self.store.begin(number):
                self.store.finish(number, self._outcome(sql, run))
        except Exception:  # noqa: BLE001 (the job ends as failed, whatever it was)
            _log.exception("job %d could not be run", number)
            self.store.finish(number, Failure("internal_error", "The platform failed; run the query again."))
        finally:
            with self._lock:
                del self._runs[number]

    def _outcome(self, sql: str, run: QueryRun) -> Result | Failure:
        # Looked at again: what was saved earlier is checked by the rules of today.
        try:
            select = read_select(sql)
        except RefusedSql as refused:
            return Failure("refused_sql", str(refused))
        known = self._datasets.named()
        missing = _missing(select, known.keys())
        if missing is not None:
            return Failure("unknown_dataset", f"There is no dataset named {missing!r}.")
        wanted = [known[name] for name in {same_name(table) for table in select.tables} & known.keys()]
        with TemporaryDirectory(dir=self._engine.scratch) as folder:
            files = self._datasets.export(wanted, Path(folder))
            return run.execute(select.sql, files, self._limits)


def _missing(select: Select, known: AbstractSet[str]) -> str | None:
    given = {same_name(name) for name in select.given}
    return next((table for table in sorted(select.tables) if same_name(table) not in known | given), None)
