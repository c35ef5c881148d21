"""Jobs over HTTP. Read Jobs shows how a job goes; its result is made of rows, so it needs Read Datasets too."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from scopekey.demo.job_desk import JobDesk
from scopekey.demo.job_store import Job, State
from scopekey.demo.paging import After, Limit, Page, page_of
from scopekey.demo.problems import Refused, refusals
from scopekey.demo.query_runner import Failure
from scopekey.enforce.fastapi import requires

router: APIRouter = APIRouter(prefix="/jobs", tags=["Jobs"])


class JobView(BaseModel):
    """One run of a query. Why it failed is one word here; the whole message, which may quote data, is in the result."""

    id: int = Field(examples=[19])
    query_id: int = Field(examples=[7])
    state: State = Field(examples=["succeeded"])
    error: str | None = Field(examples=["time_limit"])
    row_count: int | None = Field(description="Rows of the result.", examples=[12])
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobCancelled(BaseModel):
    """A job that was told to stop; one that runs is `cancelled` a moment later."""

    id: int = Field(examples=[19])
    state: State = Field(examples=["cancelled"])


class ResultColumn(BaseModel):
    """One column of a result."""

    name: str = Field(examples=["revenue"])
    type: str = Field(description="As DuckDB names it.", examples=["DOUBLE"])


class JobResult(BaseModel):
    """The rows a query answered with. `truncated`: there were more than a result holds."""

    job_id: int = Field(examples=[19])
    columns: list[ResultColumn]
    rows: list[list[Any]] = Field(examples=[[["NL", 1250.0]]])
    truncated: bool


def _desk(request: Request) -> JobDesk:
    return cast("JobDesk", request.app.state.jobs)


Desk = Annotated[JobDesk, Depends(_desk)]
JobNumber = Annotated[int, InPath(ge=1, le=2**62, description="The job's number.")]
READ, WRITE = "jobs:read", "jobs:write"


@router.get("", dependencies=[requires(READ)], responses=refusals())
def list_jobs(desk: Desk, limit: Limit = 100, after: After = 0) -> Page[JobView]:
    """List the latest jobs, oldest first."""
    found = [_view(job) for job in desk.store.page(after=after, limit=limit + 1)]
    return page_of(found, limit, lambda view: view.id)


@router.get("/{job_id}", dependencies=[requires(READ, object="job_id")], responses=refusals(404))
def get_job(job_id: JobNumber, desk: Desk) -> JobView:
    """Show a job's state."""
    return _view(desk.store.get(job_id))


@router.get(
    "/{job_id}/result",
    dependencies=[requires(READ, "datasets:read", object="job_id")],
    responses=refusals(404, 409),
)
def get_result(job_id: JobNumber, desk: Desk) -> JobResult:
    """Show the rows of a job that succeeded, or why there are none."""
    job = desk.store.get(job_id)
    if not job.ended:
        raise Refused(
            HTTPStatus.CONFLICT, "job_not_ended", f"Job {job_id} is {job.state}; ask again when it has ended."
        )
    outcome = desk.store.result(job_id)
    if isinstance(outcome, Failure):
        raise Refused(HTTPStatus.CONFLICT, f"job_{job.state}", outcome.detail or f"Job {job_id} was {job.state}.")
    columns = [ResultColumn(**column) for column in outcome.columns]
    return JobResult(job_id=job_id, columns=columns, rows=outcome.rows, truncated=outcome.truncated)


@router.post(
    "/{job_id}/cancel",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[requires(WRITE, object="job_id")],
    responses=refusals(404, 409),
)
def cancel_job(job_id: JobNumber, desk: Desk) -> JobCancelled:
    """Stop a job that waits or runs."""
    job = desk.cancel(job_id)
    return JobCancelled(id=job.id, state=job.state)


def _view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        query_id=job.query_id,
        state=job.state,
        error=job.error,
        row_count=job.row_count,
        created_at=job.created_at.replace(tzinfo=UTC),
        started_at=job.started_at and job.started_at.replace(tzinfo=UTC),
        finished_at=job.finished_at and job.finished_at.replace(tzinfo=UTC),
    )
