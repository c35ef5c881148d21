"""Workflows over HTTP, and their runs. Write Workflows starts a run; what its steps need is asked step by step."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, ClassVar, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from scopekey.demo.paging import After, Limit, Page, page_of
from scopekey.demo.problems import refusals
from scopekey.demo.run_store import RunState
from scopekey.demo.text import Line, Name
from scopekey.demo.workflow_desk import WorkflowDesk
from scopekey.demo.workflow_steps import MANY_STEPS, Step
from scopekey.demo.workflow_store import Workflow, WorkflowStore
from scopekey.enforce.fastapi import requires

router: APIRouter = APIRouter(prefix="/workflows", tags=["Workflows"])

Steps = Annotated[list[Step], Field(min_length=1, max_length=MANY_STEPS)]


class NewWorkflow(BaseModel):
    """A workflow to keep: steps in their order."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Nightly revenue"])
    description: Line | None = None
    steps: Steps


class WorkflowChange(BaseModel):
    """What may change about a workflow. What is left out stays as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name = Field(default="", examples=["Nightly revenue"])
    description: Line | None = None
    steps: Steps = Field(default=[])


class WorkflowView(BaseModel):
    """A workflow."""

    id: int = Field(examples=[5])
    name: str = Field(examples=["Nightly revenue"])
    description: str | None
    steps: list[Step]
    created_at: datetime
    updated_at: datetime


class WorkflowChanged(BaseModel):
    """Which workflow was made or changed, and when."""

    id: int = Field(examples=[5])
    updated_at: datetime


class RunStarted(BaseModel):
    """A run that was begun; seeing how it goes needs Read Workflows."""

    run_id: int = Field(examples=[31])
    state: RunState = Field(examples=["pending"])


def _store(request: Request) -> WorkflowStore:
    return cast("WorkflowStore", request.app.state.workflows)


def _desk(request: Request) -> WorkflowDesk:
    return cast("WorkflowDesk", request.app.state.workflow_runs)


Store = Annotated[WorkflowStore, Depends(_store)]
WorkflowNumber = Annotated[int, InPath(ge=1, le=2**62, description="The workflow's number.")]
READ, WRITE = "workflows:read", "workflows:write"


@router.post("", status_code=HTTPStatus.CREATED, dependencies=[requires(WRITE)], responses=refusals(507))
def create_workflow(new: NewWorkflow, store: Store, response: Response) -> WorkflowChanged:
    """Keep a workflow. Whether its steps can be taken is found out when it runs."""
    workflow = store.create(new.name, new.description, new.steps)
    response.headers["Location"] = f"/workflows/{workflow.id}"
    return _changed(workflow)


@router.get("", dependencies=[requires(READ)], responses=refusals())
def list_workflows(store: Store, limit: Limit = 100, after: After = 0) -> Page[WorkflowView]:
    """List the workflows."""
    found = [_view(workflow) for workflow in store.page(after=after, limit=limit + 1)]
    return page_of(found, limit, lambda view: view.id)


@router.get("/{workflow_id}", dependencies=[requires(READ, object="workflow_id")], responses=refusals(404))
def get_workflow(workflow_id: WorkflowNumber, store: Store) -> WorkflowView:
    """Show a workflow."""
    return _view(store.get(workflow_id))


@router.patch("/{workflow_id}", dependencies=[requires(WRITE, object="workflow_id")], responses=refusals(404, 507))
def update_workflow(workflow_id: WorkflowNumber, change: WorkflowChange, store: Store) -> WorkflowChanged:
    """Change a workflow's name, description or steps. Runs that began go on with the steps they had."""
    changes = {name: getattr(change, name) for name in change.model_fields_set}
    return _changed(store.update(workflow_id, changes))


@router.delete(
    "/{workflow_id}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[requires(WRITE, object="workflow_id")],
    responses=refusals(404),
)
def delete_workflow(workflow_id: WorkflowNumber, store: Store) -> None:
    """Delete a workflow. Its runs go on, and their records stay."""
    store.delete(workflow_id)


@router.post(
    "/{workflow_id}/run",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[requires(WRITE, object="workflow_id")],
    responses=refusals(404, 503, 507),
)
def run_workflow(
    request: Request,
    workflow_id: WorkflowNumber,
    store: Store,
    desk: Annotated[WorkflowDesk, Depends(_desk)],
    response: Response,
) -> RunStarted:
    """Run a workflow. Each step is decided with the grant that the key of this call has when its turn comes."""
    run = desk.start(store.get(workflow_id), request.app.state.who(request))
    response.headers["Location"] = f"/workflow-runs/{run.id}"
    return RunStarted(run_id=run.id, state=run.state)


def _view(workflow: Workflow) -> WorkflowView:
    return WorkflowView(
        id=workflow.id,
        name=workflow.name,
        description=workflow.description,
        steps=workflow.steps,
        created_at=workflow.created_at.replace(tzinfo=UTC),
        updated_at=workflow.updated_at.replace(tzinfo=UTC),
    )


def _changed(workflow: Workflow) -> WorkflowChanged:
    return WorkflowChanged(id=workflow.id, updated_at=workflow.updated_at.replace(tzinfo=UTC))
