"""Reads an uploaded file into cells, column by column. Nothing is written here, so a refused file leaves no trace.

A refusal names the row (counted from 1, without the header) and the column.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scopekey.demo.columns import Column, UnfitValue, read_cell
from scopekey.demo.limits import Limits
from scopekey.demo.problems import Refused
from scopekey.demo.query_runner import Failure, QueryRun
from scopekey.demo.text import same_name

Table = tuple[list[str], Iterable[list[Any]]]
"""The names of a file's columns, and its rows."""

CSV, JSON, PARQUET = "text/csv", "application/json", "application/vnd.apache.parquet"
_SHOWN = 40


def read_upload(media_type: str, body: bytes, columns: list[Column], limits: Limits, scratch: Path) -> list[list[Any]]:
    """The cells of `body`, in the order of `columns`. Refused as a whole where one cell does not fit its column."""
    readers: dict[str, Callable[[], Table]] = {
        CSV: lambda: _csv(body),
        JSON: lambda: _json(body, columns),
        PARQUET: lambda: _parquet(body, limits, scratch),
    }
    kind = media_type.split(";", maxsplit=1)[0].strip().lower()
    if kind not in readers:
        detail = f"Send the rows as one of {', '.join(readers)}, and name it in Content-Type."
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    names, rows = readers[kind]()
    return read_rows(names, rows, columns, limits)


def read_rows(names: list[str], rows: Iterable[list[Any]], columns: list[Column], limits: Limits) -> list[list[Any]]:
    """The cells of rows whose columns have these names, in the order of `columns`. Refused as a whole too."""
    return _cells(rows, columns, _places(names, columns), limits)


def _cells(rows: Iterable[list[Any]], columns: list[Column], places: list[int], limits: Limits) -> list[list[Any]]:
    cells: list[list[Any]] = [[] for _ in columns]
    for number, row in enumerate(rows, start=1):
        if number > limits.upload_rows:
            raise _too_large(f"An upload may have {limits.upload_rows:,} rows.")
        for column, place, target in zip(columns, places, cells, strict=True):
            try:
                target.append(read_cell(column.type, row[place]))
            except UnfitValue as error:
                raise _invalid(f"Row {number}, column {column.name!r}: {_shown(row[place])} {error}.") from None
    return cells


def _places(names: list[str], columns: list[Column]) -> list[int]:
    """Where each column of the dataset stands in the file; the file has exactly these, in any order."""
    found = [same_name(name) for name in names]
    known = {same_name(column.name) for column in columns}
    for name in names:
        if same_name(name) not in known:
            raise _invalid(f"The dataset has no column {_shown(name)}.")
        if found.count(same_name(name)) > 1:
            raise _invalid(f"The file has the column {_shown(name)} more than once.")
    for column in columns:
        if same_name(column.name) not in found:
            raise _invalid(f"The file lacks the column {column.name!r}.")
    return [found.index(same_name(column.name)) for column in columns]


def _csv(body: bytes) -> Table:
    """RFC 4180, UTF-8, with a header. An empty field is a null."""
    text = _text(body, "utf-8-sig")
    if "\0" in text:
        raise _invalid("The file holds a NUL character.")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, None)
    except csv.Error as error:
        raise _invalid(f"The header is not CSV: {error}.") from None
    if not header:
        raise _invalid("The file is empty; its first line names the columns.")
    return header, _csv_rows(lines, len(header))


def _csv_rows(lines: Iterator[list[str]], width: int) -> Iterator[list[Any]]:
    number = 0
    try:
        for number, fields in enumerate(lines, start=1):
            # A blank line is how a null is written where there is one column.
            row = fields or ([""] if width == 1 else fields)
            if len(row) != width:
                raise _invalid(f"Row {number} has {len(row)} fields; the header has {width}.")
            yield [field or None for field in row]
    except csv.Error as error:
        raise _invalid(f"Row {number + 1} is not CSV: {error}.") from None


def _json(body: bytes, columns: list[Column]) -> Table:
    """A list of objects. A column that an object leaves out is a null."""
    try:
        rows = json.loads(_text(body, "utf-8"), parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"The body is not JSON: {_words(error)}.") from None
    if not isinstance(rows, list):
        raise _invalid('The body is a list of objects, one for each row: [{"column": value}].')
    names = [column.name for column in columns]
    return names, (_json_row(number, row, names) for number, row in enumerate(rows, start=1))


def _json_row(number: int, row: Any, names: list[str]) -> list[Any]:
    if not isinstance(row, dict):
        raise _invalid(f"Row {number} is not an object.")
    unknown = next((name for name in row if name not in names), None)
    if unknown is not None:
        raise _invalid(f"Row {number}: the dataset has no column {_shown(unknown)}.")
    return [row.get(name) for name in names]


def _parquet(body: bytes, limits: Limits, scratch: Path) -> Table:
    """Read by a process that can reach this one file: a hostile one can end that process and nothing more."""
    with TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "upload.parquet"
        path.write_bytes(body)
        # One row more than allowed, so that too many are told from just enough.
        outcome = QueryRun().execute('SELECT * FROM "upload"', {"upload": str(path)}, limits.for_upload())
    if isinstance(outcome, Failure):
        detail = "it needs too much memory or time" if outcome.code.endswith("_limit") else "it is damaged"
        raise _invalid(f"The file cannot be read as Parquet: {detail}.")
    if outcome.truncated and len(outcome.rows) <= limits.upload_rows:
        raise _too_large(f"The file unpacks to more than {limits.unpacked_bytes:,} bytes.")
    return [column["name"] for column in outcome.columns], outcome.rows


def _text(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise _invalid(f"The body is not UTF-8: byte {error.start:,} cannot be read.") from None


def _not_json(word: str) -> None:
    raise ValueError(f"{word} is not a value")


def _words(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _shown(value: object) -> str:
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _invalid(detail: str) -> Refused:
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_upload", detail + " Nothing was stored.")


def _too_large(detail: str) -> Refused:
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail + " Split the file. Nothing was stored.")
