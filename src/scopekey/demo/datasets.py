"""Datasets over HTTP. Read Datasets shows what a dataset is and holds; Write Datasets makes and changes it.

Neither implies the other: an answer to a write tells no more than its caller sent.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, cast

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field, field_validator

from scopekey.demo.body import raw_body
from scopekey.demo.columns import Column
from scopekey.demo.dataset_figures import ColumnStatistics, DatasetFigures
from scopekey.demo.dataset_store import Dataset, DatasetStore
from scopekey.demo.engine import Engine
from scopekey.demo.limits import Limits
from scopekey.demo.paging import After, Limit, Page, page_of
from scopekey.demo.problems import refusals
from scopekey.demo.text import Line, Name, same_name
from scopekey.demo.uploads import CSV, JSON, PARQUET, read_upload
from scopekey.enforce.fastapi import requires

router: APIRouter = APIRouter(prefix="/datasets", tags=["Datasets"])
MANY_COLUMNS, MANY_TAGS = 200, 50


class DatasetChange(BaseModel):
    """What may change about a dataset. What is left out stays as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    description: Line | None = Field(default=None, examples=["Orders of the shop, one row each."])
    tags: list[Name] = Field(default=[], max_length=MANY_TAGS, examples=[["shop", "finance"]])


class NewDataset(DatasetChange):
    """A dataset to make: its name, as queries will write it, and its columns."""

    name: Name = Field(examples=["orders"])
    columns: list[Column] = Field(min_length=1, max_length=MANY_COLUMNS)

    @field_validator("columns")
    @classmethod
    def _differ(cls, columns: list[Column]) -> list[Column]:
        names = [same_name(column.name) for column in columns]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two columns are named {twice!r}; names differ by more than case")
        return columns


class DatasetSummary(BaseModel):
    """A dataset as a list shows it."""

    id: int = Field(examples=[42])
    name: str = Field(examples=["orders"])
    description: str | None
    tags: list[str]
    columns: list[Column]
    created_at: datetime
    updated_at: datetime


class DatasetMetadata(DatasetSummary):
    """A dataset, and how many rows it has."""

    row_count: int = Field(examples=[10_000])


class DatasetChanged(BaseModel):
    """Which dataset was made or changed, and when."""

    id: int = Field(examples=[42])
    updated_at: datetime


class Uploaded(BaseModel):
    """How many rows an upload added."""

    dataset_id: int = Field(examples=[42])
    rows: int = Field(examples=[9_812])


class Sample(BaseModel):
    """A few rows, by column name."""

    dataset_id: int = Field(examples=[42])
    rows: list[dict[str, Any]] = Field(examples=[[{"order_id": 1, "amount": 19.9}]])


class Statistics(BaseModel):
    """The figures of each column."""

    dataset_id: int = Field(examples=[42])
    row_count: int = Field(examples=[10_000])
    columns: list[ColumnStatistics]


def _store(request: Request) -> DatasetStore:
    return cast("DatasetStore", request.app.state.datasets)


def _figures(request: Request) -> DatasetFigures:
    return cast("DatasetFigures", request.app.state.figures)


Store = Annotated[DatasetStore, Depends(_store)]
Figures = Annotated[DatasetFigures, Depends(_figures)]
DatasetNumber = Annotated[int, InPath(ge=1, le=2**62, description="The dataset's number.")]
SampleLimit = Annotated[int, Query(ge=1, le=100, description="How many rows to show.")]
READ, WRITE = "datasets:read", "datasets:write"
# What the body of an upload may be, for the OpenAPI file: the route reads it raw.
_ROWS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {"schema": {"type": "string"}, "example": "order_id,amount\n1,19.90\n"},
            JSON: {"schema": {"type": "array", "items": {"type": "object"}}, "example": [{"order_id": 1}]},
            PARQUET: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}


@router.post("", status_code=HTTPStatus.CREATED, dependencies=[requires(WRITE)], responses=refusals(409, 507))
def create_dataset(new: NewDataset, store: Store, response: Response) -> DatasetChanged:
    """Make an empty dataset with a schema."""
    dataset = store.create(new.name, new.description, new.tags, new.columns)
    response.headers["Location"] = f"/datasets/{dataset.id}"
    return _changed(dataset)


@router.get("", dependencies=[requires(READ)], responses=refusals())
def list_datasets(store: Store, limit: Limit = 100, after: After = 0) -> Page[DatasetSummary]:
    """List the platform's datasets."""
    found = [DatasetSummary(**_facts(dataset)) for dataset in store.page(after=after, limit=limit + 1)]
    return page_of(found, limit, lambda summary: summary.id)


@router.get("/{dataset_id}", dependencies=[requires(READ, object="dataset_id")], responses=refusals(404))
def get_dataset(dataset_id: DatasetNumber, store: Store, figures: Figures) -> DatasetMetadata:
    """Show a dataset's metadata."""
    dataset = store.get(dataset_id)
    return DatasetMetadata(**_facts(dataset), row_count=figures.row_count(dataset))


@router.patch("/{dataset_id}", dependencies=[requires(WRITE, object="dataset_id")], responses=refusals(404, 507))
def update_dataset(dataset_id: DatasetNumber, change: DatasetChange, store: Store) -> DatasetChanged:
    """Change a dataset's description or tags."""
    return _changed(store.update(dataset_id, change.model_dump(exclude_unset=True)))


@router.delete(
    "/{dataset_id}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[requires(WRITE, object="dataset_id")],
    responses=refusals(404),
)
def delete_dataset(dataset_id: DatasetNumber, store: Store) -> None:
    """Delete a dataset and its rows."""
    store.delete(dataset_id)


@router.post(
    "/{dataset_id}/upload",
    status_code=HTTPStatus.CREATED,
    dependencies=[requires(WRITE, object="dataset_id")],
    responses=refusals(404, 415, 507),
    openapi_extra=_ROWS,
)
def upload_rows(
    request: Request,
    dataset_id: DatasetNumber,
    store: Store,
    body: Annotated[bytes, Depends(raw_body)],
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> Uploaded:
    """Add rows from CSV (UTF-8, with a header), JSON (a list of objects) or Parquet: all of them, or none."""
    dataset, state = store.get(dataset_id), request.app.state
    limits, engine = cast("Limits", state.limits), cast("Engine", state.engine)
    cells = read_upload(content_type, body, dataset.columns, limits, engine.scratch)
    return Uploaded(dataset_id=dataset_id, rows=store.append(dataset, cells))


@router.get("/{dataset_id}/sample", dependencies=[requires(READ, object="dataset_id")], responses=refusals(404, 503))
def sample_dataset(dataset_id: DatasetNumber, store: Store, figures: Figures, limit: SampleLimit = 10) -> Sample:
    """Show a few rows."""
    return Sample(dataset_id=dataset_id, rows=figures.sample(store.get(dataset_id), limit))


@router.get("/{dataset_id}/stats", dependencies=[requires(READ, object="dataset_id")], responses=refusals(404, 503))
def dataset_statistics(dataset_id: DatasetNumber, store: Store, figures: Figures) -> Statistics:
    """Show figures for each column: values, nulls, different values, least, greatest, mean."""
    row_count, columns = figures.statistics(store.get(dataset_id))
    return Statistics(dataset_id=dataset_id, row_count=row_count, columns=columns)


def _facts(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "name": dataset.name,
        "description": dataset.description,
        "tags": dataset.tags,
        "columns": dataset.columns,
        "created_at": dataset.created_at.replace(tzinfo=UTC),
        "updated_at": dataset.updated_at.replace(tzinfo=UTC),
    }


def _changed(dataset: Dataset) -> DatasetChanged:
    return DatasetChanged(id=dataset.id, updated_at=dataset.updated_at.replace(tzinfo=UTC))
