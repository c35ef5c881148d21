"""Decides whether an SQL text is one read-only SELECT over datasets, and over which.

DuckDB parses it; what is looked at is the parsed statement. Everything that is not on a list here is refused.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_SOURCES = {"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "EMPTY_FROM", "PIVOT"}
_TABLE_FUNCTIONS = {"range", "generate_series", "unnest"}
# They tell about the process or the machine, not about data.
_REFUSED_FUNCTIONS = {"current_setting", "getenv", "getvariable", "current_query", "read_text", "read_blob"}
_SHOWN = 500


class RefusedSql(ValueError):
    """The text is not a query the platform runs; says why."""


@dataclass(frozen=True, slots=True)
class Select:
    """One read-only statement, and the names it reads from."""

    sql: str
    tables: frozenset[str]
    """Names that stand where a dataset may; a name given by WITH can be among them."""
    given: frozenset[str]
    """Names the statement gives by WITH."""


def read_select(sql: str) -> Select:
    """The one SELECT in `sql`. Raises RefusedSql."""
    if "\0" in sql:
        raise RefusedSql("The text holds a NUL character.")
    text, tree = _parse(sql)
    tables: set[str] = set()
    given: set[str] = set()
    for node in _walk(tree):
        _check(node)
        if node.get("type") == "BASE_TABLE":
            tables.add(_dataset_name(node))
        given.update(_given(node))
    return Select(text, frozenset(tables), frozenset(given))


def _parse(sql: str) -> tuple[str, Any]:
    with duckdb.connect(":memory:", config={"enable_external_access": False, "threads": 1}) as parser:
        try:
            statements = parser.extract_statements(sql)
        except duckdb.Error as error:
            raise RefusedSql(str(error)[:_SHOWN]) from None
        if len(statements) != 1:
            raise RefusedSql(f"A query is one statement; this text has {len(statements)}.")
        text = statements[0].query.strip().rstrip(";")
        row = parser.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
    try:
        tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    except RecursionError:
        raise RefusedSql("The query is nested too deeply.") from None
    if tree["error"] or len(tree["statements"]) != 1:
        raise RefusedSql("A query is a SELECT; nothing else can be run.")
    return text, tree["statements"][0]["node"]


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _check(node: dict[str, Any]) -> None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in _NODES:
        raise RefusedSql("A query only reads: WITH may hold SELECT and nothing else.")
    if "class" in node:
        _check_expression(node)
    elif "alias" in node and "sample" in node and kind not in _SOURCES:
        raise RefusedSql(f"A query reads from datasets; {kind.lower()} is not one.")
    if kind == "TABLE_FUNCTION":
        _check_table_function(node["function"])


def _check_expression(node: dict[str, Any]) -> None:
    if node["class"] == "PARAMETER":
        raise RefusedSql("A query has no parameters; write the value into it.")
    if node["class"] == "FUNCTION" and str(node.get("function_name", "")).lower() in _REFUSED_FUNCTIONS:
        raise RefusedSql(f"The function {node['function_name']} is not offered here.")


def _check_table_function(function: dict[str, Any]) -> None:
    name = str(function.get("function_name", ""))
    if name.lower() not in _TABLE_FUNCTIONS or function.get("schema") or function.get("catalog"):
        raise RefusedSql(f"A query reads from datasets; {name[:100]}() is not one.")


def _dataset_name(node: dict[str, Any]) -> str:
    name = str(node["table_name"])
    if node.get("schema_name") or node.get("catalog_name"):
        raise RefusedSql(f"A dataset is named without a schema: write {name[:100]!r}.")
    return name


def _given(node: dict[str, Any]) -> Iterator[str]:
    named = node.get("cte_map")
    for entry in named.get("map", []) if isinstance(named, dict) else []:
        yield str(entry["key"])
