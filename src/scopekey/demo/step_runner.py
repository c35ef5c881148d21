"""Takes one step of a workflow. It asks nothing about keys: whoever calls it has."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError

from scopekey.demo.connection_store import ConnectionStore
from scopekey.demo.dataset_store import DatasetStore
from scopekey.demo.job_desk import JobDesk
from scopekey.demo.limits import Limits
from scopekey.demo.outbox import Outbox
from scopekey.demo.problems import Refused
from scopekey.demo.query_runner import Result
from scopekey.demo.query_store import QueryStore
from scopekey.demo.result_rows import write_result
from scopekey.demo.text import same_name
from scopekey.demo.workflow_steps import Export, Pause, RunQuery


class StepFailed(Exception):
    """A step that could not be taken. `code` is one word, `detail` says what to do; neither quotes data."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code: str = code
        self.detail: str = detail


class StepRunner:
    """Runs queries, writes datasets, hands them over, waits."""

    def __init__(
        self,
        *,
        jobs: JobDesk,
        queries: QueryStore,
        datasets: DatasetStore,
        connections: ConnectionStore,
        outbox: Outbox,
        limits: Limits,
    ) -> None:
        self._jobs, self._queries, self._datasets = jobs, queries, datasets
        self._connections, self._outbox, self._limits = connections, outbox, limits
        self._stopping = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether the platform is being stopped."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Stop what is being waited for: the platform ends."""
        self._stopping.set()
        self._jobs.close()

    def take(self, step: RunQuery | Export | Pause, tell_job: Callable[[int], None]) -> None:
        """Take a step; returns when it is done. `tell_job` is given the number of its job. Raises StepFailed."""
        try:
            if isinstance(step, RunQuery):
                self._query(step, tell_job)
            elif isinstance(step, Export):
                self._export(step)
            elif self._stopping.wait(step.seconds):
                raise StepFailed("interrupted", "The platform was stopped.")
        except Refused as refused:
            # The platform's own words name numbers and limits; what quotes data is caught where it arises.
            raise StepFailed(refused.code, str(refused.detail)) from None

    def _query(self, step: RunQuery, tell_job: Callable[[int], None]) -> None:
        job, ended = self._jobs.start(self._queries.get(step.query_id))
        tell_job(job.id)
        try:
            ended.result()
        except CancelledError:
            raise StepFailed("interrupted", "The platform was stopped.") from None
        outcome = self._jobs.store.result(job.id)
        if not isinstance(outcome, Result):
            raise StepFailed(outcome.code, f"Job {job.id} did not succeed; its result says why.")
        if step.into:
            self._write(step.into, outcome)

    def _write(self, name: str, result: Result) -> None:
        if result.truncated:
            raise StepFailed("result_too_long", "The query has more rows than a result holds; none were written.")
        try:
            write_result(self._datasets, name, result, self._limits)
        except (Refused, ValueError) as error:
            if isinstance(error, Refused) and error.code in {"full", "not_found", "name_taken"}:
                raise
            detail = f"The rows do not fit the columns of {name!r}; none were written."
            raise StepFailed("result_unfit", detail) from None

    def _export(self, step: Export) -> None:
        connection = self._connections.get(step.connection_id)
        faults = self._connections.faults(connection.id)
        if faults:
            raise StepFailed("connection_unusable", faults[0])
        dataset = self._datasets.named().get(same_name(step.dataset))
        if dataset is None:
            raise StepFailed("unknown_dataset", f"There is no dataset named {step.dataset!r}.")
        self._outbox.deliver(connection, dataset)
