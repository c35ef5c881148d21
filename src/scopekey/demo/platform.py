"""The whole platform as one application. It only joins: routes are in their own modules, keys are Scopekey's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel, Field

from scopekey.demo import attributes, datasets, jobs, queries
from scopekey.demo.body import BodyLimit
from scopekey.demo.dataset_figures import DatasetFigures
from scopekey.demo.dataset_store import DatasetStore
from scopekey.demo.engine import Engine
from scopekey.demo.job_desk import JobDesk
from scopekey.demo.limits import Limits
from scopekey.demo.problems import answer_problems
from scopekey.demo.query_store import QueryStore
from scopekey.enforce.fastapi import protect, public
from scopekey.enforce.keys import Keys

CATALOG = Path(__file__).with_name("catalog.toml")
"""The catalog this platform's permissions are in."""


class Health(BaseModel):
    """The platform answers."""

    status: str = Field(examples=["ok"])


def create_platform(keys: Keys, *, path: Path | str | None = None, limits: Limits | None = None) -> FastAPI:
    """The platform, guarded by `keys`. Its data is in the folder `path`, or in memory where none is given.

    Use it with its lifespan: what runs is stopped and the data is let go of when it ends.
    """
    limits = limits or Limits()
    app = FastAPI(
        title="Data platform",
        summary="Datasets, saved queries and the jobs that run them.",
        version="1.0",
        lifespan=_lifespan,
    )
    _furnish(app, Path(path) if path else None, limits)
    for room in (datasets, queries, jobs, attributes):
        app.include_router(room.router)
    app.add_api_route("/healthz", healthz, dependencies=[public()], tags=["Platform"])
    answer_problems(app)
    # Inside the guard: nobody without a key gets as far as sending a body.
    app.add_middleware(BodyLimit, limit=limits.body_bytes)
    # Anyone may read what there is to call, and which permissions each call needs.
    protect(app, keys, docs="public")
    return app


def healthz() -> Health:
    """Say that the platform answers."""
    return Health(status="ok")


def _furnish(app: FastAPI, folder: Path | None, limits: Limits) -> None:
    engine = Engine(folder, limits)
    store = DatasetStore(engine)
    app.state.limits, app.state.engine, app.state.datasets = limits, engine, store
    app.state.figures = DatasetFigures(engine)
    app.state.queries = QueryStore(engine)
    app.state.jobs = JobDesk(engine, store, limits)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.jobs.close()
    app.state.engine.close()
