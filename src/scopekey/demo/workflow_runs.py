"""Runs of workflows over HTTP: how each step went, and why a run stopped. Nothing here shows data."""

from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from scopekey.demo.paging import After, Limit, Page, page_of
from scopekey.demo.problems import refusals
from scopekey.demo.run_store import Run, RunState, StepRecord
from scopekey.demo.workflow_desk import WorkflowDesk
from scopekey.enforce.fastapi import requires

router: APIRouter = APIRouter(prefix="/workflow-runs", tags=["Workflows"])


class RunView(BaseModel):
    """One run of a workflow, for the key that started it. `stopped`: the key might not take the next step."""

    id: int = Field(examples=[31])
    workflow_id: int = Field(examples=[5])
    state: RunState = Field(examples=["stopped"])
    reason: str | None = Field(examples=["Step 2 was refused: The key was revoked."])
    key_id: str = Field(examples=["key_0123456789ab"])
    request_id: str = Field(description="Of the call that started it; every step is in the audit log under it.")
    steps: list[StepRecord]
    created_at: datetime
    finished_at: datetime | None


def _desk(request: Request) -> WorkflowDesk:
    return cast("WorkflowDesk", request.app.state.workflow_runs)


Desk = Annotated[WorkflowDesk, Depends(_desk)]
RunNumber = Annotated[int, InPath(ge=1, le=2**62, description="The run's number.")]
READ = "workflows:read"


@router.get("", dependencies=[requires(READ)], responses=refusals())
def list_workflow_runs(desk: Desk, limit: Limit = 100, after: After = 0) -> Page[RunView]:
    """List the latest runs, oldest first."""
    found = [_view(run) for run in desk.store.page(after=after, limit=limit + 1)]
    return page_of(found, limit, lambda view: view.id)


@router.get("/{run_id}", dependencies=[requires(READ, object="run_id")], responses=refusals(404))
def get_workflow_run(run_id: RunNumber, desk: Desk) -> RunView:
    """Show a run, step by step."""
    return _view(desk.store.get(run_id))


def _view(run: Run) -> RunView:
    return RunView(
        id=run.id,
        workflow_id=run.workflow_id,
        state=run.state,
        reason=run.reason,
        key_id=run.key_id,
        request_id=run.request_id,
        steps=run.steps,
        created_at=run.created_at.replace(tzinfo=UTC),
        finished_at=run.finished_at and run.finished_at.replace(tzinfo=UTC),
    )
