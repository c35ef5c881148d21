"""Saved queries over HTTP. Running one needs Write Queries and Read Datasets: its result is made of their rows."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, ClassVar, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from scopekey.demo.job_desk import JobDesk
from scopekey.demo.job_store import State
from scopekey.demo.paging import After, Limit, Page, page_of
from scopekey.demo.problems import refusals
from scopekey.demo.query_store import QueryStore, SavedQuery
from scopekey.demo.select_only import read_select
from scopekey.demo.text import Line, Name, Sql
from scopekey.enforce.fastapi import requires

router: APIRouter = APIRouter(prefix="/queries", tags=["Queries"])


def _one_select(sql: str) -> str:
    # Which datasets there are is not looked up here: that would tell it to a key without Read Datasets.
    read_select(sql)
    return sql


Select = Annotated[Sql, AfterValidator(_one_select)]


class NewQuery(BaseModel):
    """A query to save: one SELECT, which names datasets as tables."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Revenue by country"])
    description: Line | None = Field(default=None)
    sql: Select = Field(examples=["SELECT country, sum(amount) AS revenue FROM orders GROUP BY country"])


class QueryChange(BaseModel):
    """What may change about a query. What is left out stays as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name = Field(default="", examples=["Revenue by country and month"])
    description: Line | None = Field(default=None)
    sql: Select = Field(default="", examples=["SELECT country, sum(amount) AS revenue FROM orders GROUP BY country"])


class QueryView(BaseModel):
    """A saved query."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["Revenue by country"])
    description: str | None
    sql: str
    created_at: datetime
    updated_at: datetime


class QueryChanged(BaseModel):
    """Which query was made or changed, and when."""

    id: int = Field(examples=[7])
    updated_at: datetime


class JobStarted(BaseModel):
    """The job that runs a query; seeing how it goes needs Read Jobs."""

    job_id: int = Field(examples=[19])
    state: State = Field(examples=["pending"])


def _store(request: Request) -> QueryStore:
    return cast("QueryStore", request.app.state.queries)


def _desk(request: Request) -> JobDesk:
    return cast("JobDesk", request.app.state.jobs)


Store = Annotated[QueryStore, Depends(_store)]
Desk = Annotated[JobDesk, Depends(_desk)]
QueryNumber = Annotated[int, InPath(ge=1, le=2**62, description="The query's number.")]
READ, WRITE = "queries:read", "queries:write"


@router.post("", status_code=HTTPStatus.CREATED, dependencies=[requires(WRITE)], responses=refusals(507))
def create_query(new: NewQuery, store: Store, response: Response) -> QueryChanged:
    """Save a query."""
    query = store.create(new.name, new.description, new.sql)
    response.headers["Location"] = f"/queries/{query.id}"
    return _changed(query)


@router.get("", dependencies=[requires(READ)], responses=refusals())
def list_queries(store: Store, limit: Limit = 100, after: After = 0) -> Page[QueryView]:
    """List the saved queries."""
    found = [_view(query) for query in store.page(after=after, limit=limit + 1)]
    return page_of(found, limit, lambda view: view.id)


@router.get("/{query_id}", dependencies=[requires(READ, object="query_id")], responses=refusals(404))
def get_query(query_id: QueryNumber, store: Store) -> QueryView:
    """Show a saved query."""
    return _view(store.get(query_id))


@router.patch("/{query_id}", dependencies=[requires(WRITE, object="query_id")], responses=refusals(404, 507))
def update_query(query_id: QueryNumber, change: QueryChange, store: Store) -> QueryChanged:
    """Change a query's name, description or SQL."""
    return _changed(store.update(query_id, change.model_dump(exclude_unset=True)))


@router.delete(
    "/{query_id}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[requires(WRITE, object="query_id")],
    responses=refusals(404),
)
def delete_query(query_id: QueryNumber, store: Store) -> None:
    """Delete a query. Jobs it started go on."""
    store.delete(query_id)


@router.post(
    "/{query_id}/run",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[requires(WRITE, "datasets:read", object="query_id")],
    responses=refusals(404, 503, 507),
)
def run_query(query_id: QueryNumber, store: Store, desk: Desk, response: Response) -> JobStarted:
    """Run a query as a job."""
    job = desk.submit(store.get(query_id))
    response.headers["Location"] = f"/jobs/{job.id}"
    return JobStarted(job_id=job.id, state=job.state)


def _view(query: SavedQuery) -> QueryView:
    return QueryView(
        id=query.id,
        name=query.name,
        description=query.description,
        sql=query.sql,
        created_at=query.created_at.replace(tzinfo=UTC),
        updated_at=query.updated_at.replace(tzinfo=UTC),
    )


def _changed(query: SavedQuery) -> QueryChanged:
    return QueryChanged(id=query.id, updated_at=query.updated_at.replace(tzinfo=UTC))
