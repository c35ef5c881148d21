"""Workflows at rest: a name, and steps in their order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scopekey.demo.engine import Engine, Row, utc_now
from scopekey.demo.problems import not_found
from scopekey.demo.workflow_steps import STEPS, Export, Pause, RunQuery

_SELECT = "SELECT id, name, description, steps, created_at, updated_at FROM platform.workflows"


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps under a name."""

    id: int
    name: str
    description: str | None
    steps: list[RunQuery | Export | Pause]
    created_at: datetime
    updated_at: datetime


class WorkflowStore:
    """All workflows of the platform."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, description: str | None, steps: list[RunQuery | Export | Pause]) -> Workflow:
        """Keep a workflow."""
        now = utc_now()
        with self._engine.writing() as cursor:
            cursor.execute(
                "INSERT INTO platform.workflows VALUES (nextval('platform.workflow_ids'), ?, ?, ?, ?, ?) RETURNING *",
                [name, description, _dump(steps), now, now],
            )
            return _workflow(cursor.fetchall()[0])

    def get(self, number: int) -> Workflow:
        """One workflow. Refused (404) where there is none."""
        rows = self._engine.read(_SELECT + " WHERE id = ?", [number])
        if not rows:
            raise not_found("workflow", number)
        return _workflow(rows[0])

    def page(self, *, after: int, limit: int) -> list[Workflow]:
        """Workflows numbered above `after`, in order."""
        rows = self._engine.read(_SELECT + " WHERE id > ? ORDER BY id LIMIT ?", [after, limit])
        return [_workflow(row) for row in rows]

    def update(self, number: int, changes: dict[str, Any]) -> Workflow:
        """Change the name, the description or the steps, whichever are in `changes`. Runs go on as they began."""
        with self._engine.writing() as cursor:
            before = self.get(number)
            cursor.execute(
                "UPDATE platform.workflows SET name = ?, description = ?, steps = ?, updated_at = ?"
                " WHERE id = ? RETURNING *",
                [
                    changes.get("name", before.name),
                    changes.get("description", before.description),
                    _dump(changes.get("steps", before.steps)),
                    utc_now(),
                    number,
                ],
            )
            return _workflow(cursor.fetchall()[0])

    def delete(self, number: int) -> None:
        """Remove a workflow. Its runs go on, and their records stay."""
        with self._engine.writing() as cursor:
            if not cursor.execute("DELETE FROM platform.workflows WHERE id = ? RETURNING id", [number]).fetchall():
                raise not_found("workflow", number)


def _dump(steps: list[RunQuery | Export | Pause]) -> str:
    return STEPS.dump_json(steps).decode()


def _workflow(row: Row) -> Workflow:
    number, name, description, steps, created, updated = row
    return Workflow(number, name, description, STEPS.validate_json(steps), created, updated)
