"""Saved queries at rest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scopekey.demo.engine import Engine, Row, utc_now
from scopekey.demo.problems import not_found

_SELECT = "SELECT id, name, description, sql, created_at, updated_at FROM platform.queries"


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One SQL text under a name."""

    id: int
    name: str
    description: str | None
    sql: str
    created_at: datetime
    updated_at: datetime


class QueryStore:
    """All saved queries of the platform."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, description: str | None, sql: str) -> SavedQuery:
        """Save a query."""
        now = utc_now()
        with self._engine.writing() as cursor:
            cursor.execute(
                "INSERT INTO platform.queries VALUES (nextval('platform.query_ids'), ?, ?, ?, ?, ?) RETURNING *",
                [name, description, sql, now, now],
            )
            return _query(cursor.fetchall()[0])

    def get(self, number: int) -> SavedQuery:
        """One query. Refused (404) where there is none."""
        rows = self._engine.read(_SELECT + " WHERE id = ?", [number])
        if not rows:
            raise not_found("query", number)
        return _query(rows[0])

    def page(self, *, after: int, limit: int) -> list[SavedQuery]:
        """Queries numbered above `after`, in order."""
        rows = self._engine.read(_SELECT + " WHERE id > ? ORDER BY id LIMIT ?", [after, limit])
        return [_query(row) for row in rows]

    def update(self, number: int, changes: dict[str, Any]) -> SavedQuery:
        """Change the name, the description or the SQL, whichever are in `changes`."""
        with self._engine.writing() as cursor:
            rows = cursor.execute(_SELECT + " WHERE id = ?", [number]).fetchall()
            if not rows:
                raise not_found("query", number)
            _, name, description, sql, *_ = rows[0]
            now = {"name": name, "description": description, "sql": sql} | changes
            cursor.execute(
                "UPDATE platform.queries SET name = ?, description = ?, sql = ?, updated_at = ?"
                " WHERE id = ? RETURNING *",
                [now["name"], now["description"], now["sql"], utc_now(), number],
            )
            return _query(cursor.fetchall()[0])

    def delete(self, number: int) -> None:
        """Remove a query. Jobs it started go on."""
        with self._engine.writing() as cursor:
            if not cursor.execute("DELETE FROM platform.queries WHERE id = ? RETURNING id", [number]).fetchall():
                raise not_found("query", number)


def _query(row: Row) -> SavedQuery:
    return SavedQuery(*row)
