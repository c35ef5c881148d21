"""Datasets at rest: one row that describes each, and one table that holds its rows.

A table is named by the dataset's number, so a dataset's name never becomes part of a statement; columns are quoted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import duckdb

from scopekey.demo.columns import SQL_TYPES, Column
from scopekey.demo.engine import Engine, Row, utc_now
from scopekey.demo.problems import Refused, not_found
from scopekey.demo.text import quoted, same_name

BATCH = 5_000
_SELECT = "SELECT id, name, description, tags, columns, created_at, updated_at FROM platform.datasets"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is known about one dataset, without its rows."""

    id: int
    name: str
    description: str | None
    tags: list[str]
    columns: list[Column]
    created_at: datetime
    updated_at: datetime

    @property
    def table(self) -> str:
        """The table that holds the rows, as it stands in a statement."""
        return _table(self.id)


class DatasetStore:
    """All datasets of the platform."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, description: str | None, tags: list[str], columns: list[Column]) -> Dataset:
        """Make an empty dataset. Refused (409) where one of that name exists; names differ by more than case."""
        now = utc_now()
        with self._engine.writing() as cursor:
            _free(cursor, name)
            number = int(_one(cursor.execute("SELECT nextval('platform.dataset_ids')")))
            dataset = Dataset(number, name, description, tags, columns, now, now)
            cursor.execute(
                "INSERT INTO platform.datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [number, name, same_name(name), description, json.dumps(tags), _dump(columns), now, now],
            )
            fields = ", ".join(f"{quoted(column.name)} {SQL_TYPES[column.type]}" for column in columns)
            cursor.execute(f"CREATE TABLE {dataset.table} ({fields})")
        return dataset

    def get(self, number: int) -> Dataset:
        """One dataset. Refused (404) where there is none."""
        rows = self._engine.read(_SELECT + " WHERE id = ?", [number])
        if not rows:
            raise not_found("dataset", number)
        return _dataset(rows[0])

    def page(self, *, after: int, limit: int) -> list[Dataset]:
        """Datasets numbered above `after`, in order."""
        rows = self._engine.read(_SELECT + " WHERE id > ? ORDER BY id LIMIT ?", [after, limit])
        return [_dataset(row) for row in rows]

    def named(self) -> dict[str, Dataset]:
        """Every dataset, by what its name has in common with the spellings that mean it."""
        return {same_name(row[1]): _dataset(row) for row in self._engine.read(_SELECT)}

    def update(self, number: int, changes: dict[str, Any]) -> Dataset:
        """Change the description or the tags, whichever are in `changes`."""
        now = utc_now()
        with self._engine.writing() as cursor:
            row = _exists(cursor, number)
            description = changes.get("description", row[2])
            tags = json.dumps(changes["tags"]) if "tags" in changes else row[3]
            cursor.execute(
                "UPDATE platform.datasets SET description = ?, tags = ?, updated_at = ? WHERE id = ?",
                [description, tags, now, number],
            )
        return self.get(number)

    def delete(self, number: int) -> None:
        """Remove a dataset and its rows."""
        with self._engine.writing() as cursor:
            _exists(cursor, number)
            cursor.execute("DELETE FROM platform.datasets WHERE id = ?", [number])
            cursor.execute(f"DROP TABLE {_table(number)}")

    def append(self, dataset: Dataset, cells: Sequence[list[Any]]) -> int:
        """Add rows, given column by column, all or none; answers how many."""
        arrays = ", ".join(f"unnest(?::{SQL_TYPES[column.type]}[])" for column in dataset.columns)
        sql = f"INSERT INTO {dataset.table} SELECT {arrays}"
        count = len(cells[0])
        with self._engine.writing() as cursor:
            _exists(cursor, dataset.id)
            for start in range(0, count, BATCH):
                cursor.execute(sql, [column[start : start + BATCH] for column in cells])
            cursor.execute("UPDATE platform.datasets SET updated_at = ? WHERE id = ?", [utc_now(), dataset.id])
        return count

    def export(self, datasets: Sequence[Dataset], folder: Path) -> dict[str, str]:
        """Write the rows of each dataset, as of one moment, to a Parquet file; answers the path by dataset name."""
        files = {dataset.name: str(folder / f"{dataset.id}.parquet") for dataset in datasets}
        with self._engine.reading() as cursor:
            for dataset in datasets:
                path = files[dataset.name].replace("'", "''")
                cursor.execute(f"COPY {dataset.table} TO '{path}' (FORMAT parquet)")
        return files


def _table(number: int) -> str:
    return f"data.dataset_{number:d}"


def _free(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    if cursor.execute("SELECT id FROM platform.datasets WHERE same_name = ?", [same_name(name)]).fetchone():
        detail = f"There is already a dataset named {name!r}; names differ by more than upper and lower case."
        raise Refused(HTTPStatus.CONFLICT, "name_taken", detail)


def _exists(cursor: duckdb.DuckDBPyConnection, number: int) -> Row:
    row: Row | None = cursor.execute(_SELECT + " WHERE id = ?", [number]).fetchone()
    if row is None:
        raise not_found("dataset", number)
    return row


def _one(cursor: duckdb.DuckDBPyConnection) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def _dump(columns: list[Column]) -> str:
    return json.dumps([column.model_dump() for column in columns])


def _dataset(row: Row) -> Dataset:
    number, name, description, tags, columns, created, updated = row
    parsed = [Column.model_validate(column) for column in json.loads(columns)]
    return Dataset(number, name, description, json.loads(tags), parsed, created, updated)
