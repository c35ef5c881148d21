"""One query in a process of its own, which holds nothing but the tables the query names.

Started by `query_runner` as a plain script, and imports nothing of this package. DuckDB cannot be interrupted inside
one function call (`repeat('x', 4000000000)`), nor does its memory limit count every string: a process can be ended
and limited whatever it does. A question comes in on standard input, an answer goes out on standard output, both JSON.
"""

import base64
import contextlib
import json
import math
import sys
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

BATCH = 64
# Beside what DuckDB may use: the interpreter, DuckDB's code, and the address space that threads only reserve.
ADDRESS_SPACE_OVERHEAD = 1536 * 1024 * 1024


def limit_process(megabytes: int, seconds: float) -> None:
    """Have the operating system bound memory and processor time, where it can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 (not on every system)

        space = megabytes * 1024 * 1024 + ADDRESS_SPACE_OVERHEAD
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds) * 4, math.ceil(seconds) * 4))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def open_tables(tables: dict[str, str], megabytes: int) -> Any:
    """A database with one view per file, locked: these files can be read, nothing else, and nothing written."""
    import duckdb  # noqa: PLC0415 (after the limits stand)

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{megabytes}MB",
        "threads": 2,
        "temp_directory": "",
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    paths = ", ".join(literal(path) for path in tables.values())
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    for name, path in tables.items():
        view = '"' + name.replace('"', '""') + '"'
        connection.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet({literal(path)})")  # noqa: S608 (quoted)
    connection.execute("BEGIN TRANSACTION READ ONLY")
    return connection


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """The result of the question's statement, cut off at its limits; or a refusal."""
    connection = open_tables(question["tables"], question["megabytes"])
    cursor = connection.execute(question["sql"])
    columns = [{"name": field[0], "type": str(field[1])} for field in cursor.description]
    names = [column["name"].casefold() for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return {"error": "sql_error", "detail": f"Two columns are named {twice!r}; give one another name with AS."}
    zoned = [column["name"] for column in columns if "WITH TIME ZONE" in column["type"]]
    if zoned:
        connection.execute(without_zones(question["sql"], zoned))
    rows, truncated = fetch(connection, question["rows"], question["bytes"])
    return {"columns": columns, "rows": rows, "truncated": truncated}


def without_zones(sql: str, names: list[str]) -> str:
    """`sql` with these columns as text: DuckDB needs another package to hand out times with a zone."""
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    casts = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in quoted)
    # The line break ends a comment that the statement may end with.
    return f"SELECT * REPLACE ({casts}) FROM ({sql}\n)"  # noqa: S608 (a checked statement, quoted names)


def fetch(connection: Any, most_rows: int, most_bytes: int) -> tuple[list[list[Any]], bool]:
    """Rows up to the limits, and whether there were more."""
    rows: list[list[Any]] = []
    room = most_bytes
    while batch := connection.fetchmany(BATCH):
        for values in batch:
            row = [cell(value) for value in values]
            room -= len(json.dumps(row))
            if len(rows) == most_rows or room < 0:
                return rows, True
            rows.append(row)
    return rows, False


def cell(value: Any) -> Any:
    """One value as JSON carries it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list | tuple):
        return [cell(item) for item in value]
    if isinstance(value, dict):
        return {str(key): cell(item) for key, item in value.items()}
    return str(value)


def main() -> None:
    """Read one question, write one answer."""
    question = json.loads(sys.stdin.read())
    limit_process(question["megabytes"], question["seconds"])
    try:
        reply = answer(question)
    except MemoryError:
        reply = {"error": "memory_limit", "detail": ""}
    except Exception as error:  # noqa: BLE001 (whatever it was, the parent is told and this process ends)
        memory = type(error).__name__ == "OutOfMemoryException"
        reply = {"error": "memory_limit" if memory else "sql_error", "detail": str(error)}
    sys.stdout.write(json.dumps(reply))


if __name__ == "__main__":
    main()
