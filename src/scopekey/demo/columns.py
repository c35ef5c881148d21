"""The columns of a dataset: their types, and reading one cell into a type.

A cell is read the same way whatever file it came in, so a CSV, a Parquet and a JSON upload accept the same values.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from scopekey.demo.text import Line, Name

ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]

SQL_TYPES: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
INTEGER_BITS = 63


class UnfitValue(ValueError):
    """A value that its column cannot hold; the words follow the value."""


class Column(BaseModel):
    """One column: its name, its type, and what it holds."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name = Field(examples=["amount"])
    type: ColumnType = Field(examples=["number"])
    description: Line | None = Field(default=None, examples=["Price paid, in euros, tax included."])


def read_cell(kind: ColumnType, value: object) -> object:
    """`value` as a cell of type `kind`; None stays None. Raises UnfitValue."""
    return None if value is None else _READERS[kind](value)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise UnfitValue("is not a string")
    if "\0" in value:
        raise UnfitValue("holds a NUL character")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise UnfitValue("holds half a surrogate pair")
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UnfitValue("is not an integer")
    try:
        number = int(value)
    except ValueError:
        raise UnfitValue("is not an integer") from None
    if not -(2**INTEGER_BITS) <= number < 2**INTEGER_BITS:
        raise UnfitValue("does not fit in 64 bits")
    return number


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise UnfitValue("is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise UnfitValue("is not a number") from None
    if not math.isfinite(number):
        raise UnfitValue("is not a finite number")
    return number


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in {"true", "false"}:
        raise UnfitValue("is neither true nor false")
    return word == "true"


def _date(value: object) -> date:
    try:
        return date.fromisoformat(_string(value).strip())
    except ValueError:
        raise UnfitValue("is not a date such as 2026-11-30") from None


def _timestamp(value: object) -> datetime:
    """A time without a zone, in UTC: one that names its zone is converted."""
    try:
        moment = datetime.fromisoformat(_string(value).strip())
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise UnfitValue("is not a time such as 2026-11-30T08:15:00Z") from None


_READERS: dict[ColumnType, Callable[[object], object]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
