"""Runs of workflows at rest: how each step went, for which key, and why a run stopped.

Nothing here quotes data: whoever may read workflows may read this.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field, TypeAdapter

from scopekey.core.ids import KeyId
from scopekey.demo.engine import Engine, Row, utc_now
from scopekey.demo.problems import not_found
from scopekey.demo.workflow_steps import Step
from scopekey.demo.workflow_store import Workflow

RunState = Literal["pending", "running", "succeeded", "failed", "stopped"]
StepState = Literal["pending", "running", "succeeded", "failed", "refused", "skipped"]
_SELECT = (
    "SELECT id, workflow_id, state, reason, key_id, request_id, steps, created_at, finished_at"
    " FROM platform.workflow_runs"
)
_INTERRUPTED = "The platform stopped before the run ended; run the workflow again."


class StepRecord(BaseModel):
    """How one step went. `refused`: the key that started the run might not take it when its turn came."""

    step: Step
    state: StepState = "pending"
    job_id: int | None = Field(default=None, description="The job that ran its query.", examples=[19])
    code: str | None = Field(default=None, description="Why it did not succeed.", examples=["missing_permission"])
    detail: str | None = Field(default=None, examples=["The key lacks Read Datasets (datasets:read)."])
    missing: list[str] = Field(default=[], examples=[["datasets:read"]])
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def began(self) -> None:
        """Note that it runs now."""
        self.state, self.started_at = "running", datetime.now(UTC)

    def ended(self, state: StepState, code: str | None = None, detail: str | None = None) -> None:
        """Note how it ended."""
        self.state, self.code, self.detail, self.finished_at = state, code, detail, datetime.now(UTC)


_RECORDS: TypeAdapter[list[StepRecord]] = TypeAdapter(list[StepRecord])


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `key_id` is the key that started it, `request_id` the call: the audit log has every step under it."""

    id: int
    workflow_id: int
    state: RunState
    reason: str | None
    key_id: KeyId
    request_id: str
    steps: list[StepRecord]
    created_at: datetime
    finished_at: datetime | None

    def skip_the_rest(self) -> None:
        """Note that no further step is taken, and that one which was not ended will not be."""
        for record in self.steps:
            if record.state == "running":
                record.ended("failed", "interrupted", "The step was not ended.")
            elif record.state == "pending":
                record.state = "skipped"


class RunStore:
    """The latest `kept` runs of the platform."""

    def __init__(self, engine: Engine, kept: int) -> None:
        self._engine, self._kept = engine, kept
        self._end_interrupted()

    def create(self, workflow: Workflow, key_id: KeyId, request_id: str) -> Run:
        """A pending run of the workflow as it stands now; the oldest ended runs make room."""
        now, steps = utc_now(), [StepRecord(step=step) for step in workflow.steps]
        with self._engine.writing() as cursor:
            cursor.execute(
                "INSERT INTO platform.workflow_runs VALUES"
                " (nextval('platform.run_ids'), ?, 'pending', NULL, ?, ?, ?, ?, NULL) RETURNING id",
                [workflow.id, key_id, request_id, _dump(steps), now],
            )
            number = cursor.fetchall()[0][0]
            cursor.execute(
                "DELETE FROM platform.workflow_runs WHERE id <= ? AND state NOT IN ('pending', 'running')",
                [number - self._kept],
            )
        return Run(number, workflow.id, "pending", None, key_id, request_id, steps, now, None)

    def get(self, number: int) -> Run:
        """One run. Refused (404) where there is none, or none any more."""
        rows = self._engine.read(_SELECT + " WHERE id = ?", [number])
        if not rows:
            raise not_found("workflow run", number)
        return _run(rows[0])

    def page(self, *, after: int, limit: int) -> list[Run]:
        """Runs numbered above `after`, in order."""
        return [_run(row) for row in self._engine.read(_SELECT + " WHERE id > ? ORDER BY id LIMIT ?", [after, limit])]

    def save(self, run: Run, state: RunState, reason: str | None = None) -> Run:
        """Keep how a run stands; a state other than `running` ends it."""
        run = replace(run, state=state, reason=reason, finished_at=None if state == "running" else utc_now())
        with self._engine.writing() as cursor:
            cursor.execute(
                "UPDATE platform.workflow_runs SET state = ?, reason = ?, steps = ?, finished_at = ? WHERE id = ?",
                [run.state, run.reason, _dump(run.steps), run.finished_at, run.id],
            )
        return run

    def _end_interrupted(self) -> None:
        for row in self._engine.read(_SELECT + " WHERE state IN ('pending', 'running')"):
            run = _run(row)
            run.skip_the_rest()
            self.save(run, "failed", _INTERRUPTED)


def _dump(steps: list[StepRecord]) -> str:
    return _RECORDS.dump_json(steps).decode()


def _run(row: Row) -> Run:
    number, workflow, state, reason, key_id, request_id, steps, created, finished = row
    records = _RECORDS.validate_json(steps)
    return Run(number, workflow, state, reason, key_id, request_id, records, created, finished)
