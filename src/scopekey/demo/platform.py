"""The whole platform as one application. It only joins: routes are in their own modules, keys are Scopekey's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field

from scopekey.demo import attributes, connections, datasets, jobs, queries, workflow_runs, workflows
from scopekey.demo.body import BodyLimit
from scopekey.demo.caller import leave_to_proxy, told_by_guard, told_by_proxy
from scopekey.demo.connection_store import ConnectionStore
from scopekey.demo.dataset_figures import DatasetFigures
from scopekey.demo.dataset_store import DatasetStore
from scopekey.demo.engine import Engine
from scopekey.demo.job_desk import JobDesk
from scopekey.demo.limits import Limits
from scopekey.demo.outbox import Outbox
from scopekey.demo.problems import answer_problems
from scopekey.demo.query_store import QueryStore
from scopekey.demo.step_runner import StepRunner
from scopekey.demo.workflow_desk import WorkflowDesk
from scopekey.demo.workflow_store import WorkflowStore
from scopekey.enforce.fastapi import protect, public
from scopekey.enforce.keys import Keys

CATALOG = Path(__file__).with_name("catalog.toml")
"""The catalog this platform's permissions are in."""
DOCS: Literal["public"] = "public"


class Health(BaseModel):
    """The platform answers."""

    status: str = Field(examples=["ok"])


def create_platform(
    keys: Keys, *, path: Path | str | None = None, limits: Limits | None = None, behind_proxy: bool = False
) -> FastAPI:
    """The platform, guarded by `keys`. Its data is in the folder `path`, or in memory where none is given.

    With `behind_proxy` it guards nothing itself and believes what a proxy says: serve it on a Unix socket that
    only the proxy can open. `keys` then decides the steps of workflows alone, which no proxy sees.

    Use it with its lifespan: what runs is stopped and the data is let go of when it ends.
    """
    limits = limits or Limits()
    app = FastAPI(
        title="Data platform",
        summary="Datasets, saved queries, the jobs that run them, connections and workflows.",
        version="1.0",
        lifespan=_lifespan,
    )
    _furnish(app, keys, Path(path) if path else None, limits)
    for room in (datasets, queries, jobs, connections, workflows, workflow_runs, attributes):
        app.include_router(room.router)
    app.add_api_route("/healthz", healthz, dependencies=[public()], tags=["Platform"])
    answer_problems(app)
    # Inside the guard: nobody without a key gets as far as sending a body.
    app.add_middleware(BodyLimit, limit=limits.body_bytes)
    app.state.who = told_by_proxy(keys) if behind_proxy else told_by_guard
    if behind_proxy:
        leave_to_proxy(app)
    else:
        # Anyone may read what there is to call, and which permissions each call needs.
        protect(app, keys, docs=DOCS)
    return app


def healthz() -> Health:
    """Say that the platform answers."""
    return Health(status="ok")


def _furnish(app: FastAPI, keys: Keys, folder: Path | None, limits: Limits) -> None:
    engine = Engine(folder, limits)
    state = app.state
    state.limits, state.engine = limits, engine
    state.datasets, state.figures = DatasetStore(engine), DatasetFigures(engine)
    state.queries, state.jobs = QueryStore(engine), JobDesk(engine, state.datasets, limits)
    state.connections, state.outbox = ConnectionStore(engine), Outbox(engine, limits)
    runner = StepRunner(
        jobs=state.jobs,
        queries=state.queries,
        datasets=state.datasets,
        connections=state.connections,
        outbox=state.outbox,
        limits=limits,
    )
    state.workflows, state.workflow_runs = WorkflowStore(engine), WorkflowDesk(engine, keys, runner, limits)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.workflow_runs.close()
    app.state.jobs.close()
    app.state.engine.close()
