"""Turns the result of a query into rows of a dataset: into one that exists, or into a new one of fitting columns."""

import json
import re
from typing import Any

from scopekey.demo.columns import Column, ColumnType
from scopekey.demo.dataset_store import Dataset, DatasetStore
from scopekey.demo.limits import Limits
from scopekey.demo.query_runner import Result
from scopekey.demo.text import same_name
from scopekey.demo.uploads import read_rows

_INTEGER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$")
_NUMBER = re.compile(r"(FLOAT|DOUBLE|DECIMAL\(.*\))$")


def write_result(store: DatasetStore, name: str, result: Result, limits: Limits) -> Dataset:
    """Add a result's rows to the dataset of this name, all or none; made where there is none.

    Refused where the rows do not fit the columns it has. Raises ValueError for a column without a usable name.
    """
    dataset = store.named().get(same_name(name))
    names = [column["name"] for column in result.columns]
    columns = dataset.columns if dataset else [_column(column) for column in result.columns]
    rows = [[_readable(value) for value in row] for row in result.rows]
    cells = read_rows(names, rows, columns, limits)
    dataset = dataset or store.create(name, None, [], columns)
    store.append(dataset, cells)
    return dataset


def _column(column: dict[str, str]) -> Column:
    return Column(name=column["name"], type=_type(column["type"]))


def _type(sql: str) -> ColumnType:
    """The column type that holds what DuckDB calls `sql`; text where no other does."""
    if _INTEGER.match(sql):
        return "integer"
    if _NUMBER.match(sql):
        return "number"
    if sql.startswith("TIMESTAMP"):
        return "timestamp"
    return {"BOOLEAN": "boolean", "DATE": "date"}.get(sql, "string")  # type: ignore[return-value]


def _readable(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
