"""``scopekey audit export``: entries as files for other programs."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from scopekey.audit.entry import read_entry
from scopekey.cli.acting import CannotActError
from scopekey.cli.audit_log import audit_log
from scopekey.cli.audit_search import (
    Action,
    ActorOption,
    Category,
    DecisionOption,
    Key,
    Kind,
    OperationOption,
    Organization,
    PermissionOption,
    RequestId,
    Since,
    Until,
)
from scopekey.cli.output import Local
from scopekey.insight.export_rows import COLUMNS, NUMBERS, Cell, row_of, typed_line

Form = Literal["jsonl", "csv", "parquet"]
_FORMATS = "jsonl, csv (exact: a spreadsheet takes a field that begins with = + - or @ for a formula), or parquet."


def export(
    form: Annotated[Form, typer.Option("--format", help=_FORMATS)] = "jsonl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; else to a pipe.")] = None,
    key: Key = None,
    organization: Organization = None,
    permission: PermissionOption = None,
    category: Category = None,
    decision: DecisionOption = None,
    kind: Kind = None,
    action: Action = None,
    operation: OperationOption = None,
    request_id: RequestId = None,
    actor: ActorOption = None,
    since: Since = None,
    until: Until = None,
    local: Local = False,
) -> None:
    """Write entries as a file, the oldest first.

    The data is exact: import CSV as text where it may hold formulas. In JSON lines `entry` is the canonical text, of
    which `hash` is the hash.
    """
    if form == "parquet" and output is None:
        raise CannotActError("a parquet file is written as a whole: name it with -o FILE")
    query = {
        "key": key,
        "organization": organization,
        "permission": permission,
        "category": category,
        "decision": decision,
        "kind": kind,
        "action": action,
        "operation": operation,
        "request_id": request_id,
        "actor": actor,
        "since": since,
        "until": until,
    }
    if form == "parquet":
        import duckdb  # noqa: F401 - where it is missing, that is said before anything is fetched
    with audit_log(local=local) as log:
        parts = log.export_log("csv" if form == "csv" else "jsonl", **query)
        if output is None:
            for part in parts:
                sys.stdout.buffer.write(part)
            sys.stdout.flush()
        else:
            with _fresh(output) as fresh:
                (write_parquet if form == "parquet" else _write_parts)(parts, fresh)


def write_parquet(parts: Iterable[bytes], file: Path) -> None:
    """Write an export in JSON lines as a Parquet file, by the columns of the CSV."""
    import duckdb

    kinds = {name: "BIGINT" if name in NUMBERS else "TIMESTAMPTZ" if name == "time" else "VARCHAR" for name in COLUMNS}
    with _beside(file) as rows:
        with rows.open("wb") as opened:
            opened.writelines(typed_line(row) for row in _rows(parts))
        with duckdb.connect() as engine:
            found = engine.read_json(
                str(rows), columns=kinds, format="newline_delimited", maximum_object_size=_LONGEST_LINE
            )
            found.write_parquet(str(file), compression="zstd")


def _rows(parts: Iterable[bytes]) -> Iterator[tuple[Cell, ...]]:
    for line in _lines(parts):
        given = _LINE.decode(line)
        body = bytes(given.entry)
        yield row_of(given.index, read_entry(body), body)


class _Line(msgspec.Struct):
    index: int
    entry: msgspec.Raw


_LINE = msgspec.json.Decoder(_Line)
_LONGEST_LINE = 1 << 20


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        yield from lines


def _write_parts(parts: Iterable[bytes], file: Path) -> None:
    with file.open("wb") as opened:
        opened.writelines(parts)


@contextlib.contextmanager
def _fresh(output: Path) -> Iterator[Path]:
    """A file that takes the place of another one once it is whole."""
    with _beside(output) as fresh:
        yield fresh
        fresh.replace(output)


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A new file beside another one, for its owner alone, gone in the end."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.absolute().parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
