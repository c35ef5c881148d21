"""Jobs at rest: their states and their results. A state changes only from the one it is expected to be in."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from scopekey.demo.engine import Engine, Row, utc_now
from scopekey.demo.problems import not_found
from scopekey.demo.query_runner import Failure, Result
from scopekey.demo.query_store import SavedQuery

State = Literal["pending", "running", "succeeded", "failed", "cancelled"]
_SELECT = "SELECT id, query_id, state, created_at, started_at, finished_at, row_count, error FROM platform.jobs"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a query, without its result."""

    id: int
    query_id: int
    state: State
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    row_count: int | None
    error: str | None
    """Why it failed, as one word that never quotes the data."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in {"pending", "running"}


class JobStore:
    """The latest `kept` jobs of the platform."""

    def __init__(self, engine: Engine, kept: int) -> None:
        self._engine, self._kept = engine, kept
        self._end_interrupted()

    def create(self, query: SavedQuery) -> Job:
        """A pending job for the query as it stands now; the oldest ended jobs make room."""
        now = utc_now()
        with self._engine.writing() as cursor:
            cursor.execute(
                "INSERT INTO platform.jobs (id, query_id, sql, state, created_at)"
                " VALUES (nextval('platform.job_ids'), ?, ?, 'pending', ?) RETURNING id",
                [query.id, query.sql, now],
            )
            number = cursor.fetchall()[0][0]
            cursor.execute(
                "DELETE FROM platform.jobs WHERE id <= ? AND state NOT IN ('pending', 'running')",
                [number - self._kept],
            )
        return Job(number, query.id, "pending", now, None, None, None, None)

    def get(self, number: int) -> Job:
        """One job. Refused (404) where there is none, or none any more."""
        rows = self._engine.read(_SELECT + " WHERE id = ?", [number])
        if not rows:
            raise not_found("job", number)
        return _job(rows[0])

    def page(self, *, after: int, limit: int) -> list[Job]:
        """Jobs numbered above `after`, in order."""
        rows = self._engine.read(_SELECT + " WHERE id > ? ORDER BY id LIMIT ?", [after, limit])
        return [_job(row) for row in rows]

    def result(self, number: int) -> Result | Failure:
        """What an ended job answered with, or all that is known about why it did not."""
        rows = self._engine.read("SELECT result, error, detail FROM platform.jobs WHERE id = ?", [number])
        if not rows:
            raise not_found("job", number)
        stored, error, detail = rows[0]
        return Result(**json.loads(stored)) if stored else Failure(error or "", detail or "")

    def waiting(self) -> int:
        """How many jobs have not begun."""
        count: int = self._engine.read("SELECT count(*) FROM platform.jobs WHERE state = 'pending'")[0][0]
        return count

    def begin(self, number: int) -> bool:
        """From pending to running; false where it was cancelled before."""
        with self._engine.writing() as cursor:
            sql = (
                "UPDATE platform.jobs SET state = 'running', started_at = ?"
                " WHERE id = ? AND state = 'pending' RETURNING id"
            )
            return bool(cursor.execute(sql, [utc_now(), number]).fetchall())

    def cancel_pending(self, number: int) -> bool:
        """From pending to cancelled; false where it is past that."""
        with self._engine.writing() as cursor:
            sql = (
                "UPDATE platform.jobs SET state = 'cancelled', finished_at = ?, error = 'cancelled'"
                " WHERE id = ? AND state = 'pending' RETURNING id"
            )
            return bool(cursor.execute(sql, [utc_now(), number]).fetchall())

    def finish(self, number: int, outcome: Result | Failure) -> None:
        """From running to how it ended."""
        if isinstance(outcome, Result):
            result = json.dumps({"columns": outcome.columns, "rows": outcome.rows, "truncated": outcome.truncated})
            facts = ["succeeded", utc_now(), len(outcome.rows), result, None, None]
        else:
            state = "cancelled" if outcome.code == "cancelled" else "failed"
            facts = [state, utc_now(), None, None, outcome.code, outcome.detail]
        with self._engine.writing() as cursor:
            cursor.execute(
                "UPDATE platform.jobs SET state = ?, finished_at = ?, row_count = ?, result = ?, error = ?, detail = ?"
                " WHERE id = ? AND state = 'running'",
                [*facts, number],
            )

    def _end_interrupted(self) -> None:
        with self._engine.writing() as cursor:
            cursor.execute(
                "UPDATE platform.jobs SET state = 'failed', finished_at = ?, error = 'interrupted',"
                " detail = 'The platform stopped before the job ended; run the query again.'"
                " WHERE state IN ('pending', 'running')",
                [utc_now()],
            )


def _job(row: Row) -> Job:
    return Job(*row)
