"""What can be learned from a dataset's rows: how many there are, a few of them, and figures per column."""

import math
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from scopekey.demo.columns import Column, ColumnType
from scopekey.demo.dataset_store import Dataset
from scopekey.demo.engine import Engine
from scopekey.demo.text import quoted

SHOWN_CHARACTERS = 500


class ColumnStatistics(BaseModel):
    """The figures of one column."""

    name: str = Field(examples=["amount"])
    type: ColumnType
    count: int = Field(description="Cells that hold a value.", examples=[9_812])
    nulls: int = Field(examples=[188])
    distinct: int = Field(examples=[4_301])
    min: Any = Field(examples=[0.5])
    max: Any = Field(examples=[980.0])
    mean: float | None = Field(description="Of numbers only.", examples=[42.7])


class DatasetFigures:
    """Reads rows; keeps nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def row_count(self, dataset: Dataset) -> int:
        """How many rows there are."""
        count: int = self._engine.read(f"SELECT count(*) FROM {dataset.table}")[0][0]  # noqa: S608 (our table)
        return count

    def sample(self, dataset: Dataset, limit: int) -> list[dict[str, Any]]:
        """The first `limit` rows, by column name; long strings are cut."""
        names = [column.name for column in dataset.columns]
        rows = self._engine.read(f"SELECT * FROM {dataset.table} LIMIT ?", [limit])  # noqa: S608 (our table)
        return [dict(zip(names, map(_shown, row), strict=True)) for row in rows]

    def statistics(self, dataset: Dataset) -> tuple[int, list[ColumnStatistics]]:
        """The number of rows, and the figures of each column."""
        wanted = ", ".join(part for column in dataset.columns for part in _figures(column))
        total, *figures = self._engine.read(f"SELECT count(*), {wanted} FROM {dataset.table}")[0]  # noqa: S608 (quoted)
        width = len(figures) // len(dataset.columns)
        return total, [
            _statistics(column, total, figures[place * width : (place + 1) * width])
            for place, column in enumerate(dataset.columns)
        ]


def _figures(column: Column) -> list[str]:
    name = quoted(column.name)
    mean = f"avg({name})" if column.type in {"integer", "number"} else "NULL"
    return [f"count({name})", f"count(DISTINCT {name})", f"min({name})", f"max({name})", mean]


def _statistics(column: Column, total: int, figures: Sequence[Any]) -> ColumnStatistics:
    count, distinct, low, high, mean = figures
    return ColumnStatistics(
        name=column.name,
        type=column.type,
        count=count,
        nulls=total - count,
        distinct=distinct,
        min=_shown(low),
        max=_shown(high),
        mean=mean if mean is not None and math.isfinite(mean) else None,
    )


def _shown(value: Any) -> Any:
    return value[:SHOWN_CHARACTERS] + "…" if isinstance(value, str) and len(value) > SHOWN_CHARACTERS else value
