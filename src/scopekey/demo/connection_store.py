"""Connections at rest. What is known about one never holds its credential; that is read by itself, where it is used.

The credential stands in the platform's own database, which nobody else can open; a platform that really sends
something would have its key service seal it.
"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from scopekey.demo.connection_settings import S3, Postgres, Webhook, faults, read_settings
from scopekey.demo.engine import Engine, Row, utc_now
from scopekey.demo.problems import Refused, not_found

_SELECT = "SELECT id, name, settings, credential_at, created_at, updated_at FROM platform.connections"


@dataclass(frozen=True, slots=True)
class Connection:
    """One link to an outside system. `credential_at` is when its credential was stored, None where it has none."""

    id: int
    name: str
    settings: S3 | Postgres | Webhook
    credential_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ConnectionStore:
    """All connections of the platform."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, settings: S3 | Postgres | Webhook, credential: str | None) -> Connection:
        """Keep a connection and its credential."""
        now = utc_now()
        with self._engine.writing() as cursor:
            cursor.execute(
                "INSERT INTO platform.connections VALUES (nextval('platform.connection_ids'), ?, ?, ?, ?, ?, ?)"
                " RETURNING id, name, settings, credential_at, created_at, updated_at",
                [name, settings.model_dump_json(), credential, now if credential else None, now, now],
            )
            return _connection(cursor.fetchall()[0])

    def get(self, number: int) -> Connection:
        """One connection. Refused (404) where there is none."""
        rows = self._engine.read(_SELECT + " WHERE id = ?", [number])
        if not rows:
            raise not_found("connection", number)
        return _connection(rows[0])

    def page(self, *, after: int, limit: int) -> list[Connection]:
        """Connections numbered above `after`, in order."""
        rows = self._engine.read(_SELECT + " WHERE id > ? ORDER BY id LIMIT ?", [after, limit])
        return [_connection(row) for row in rows]

    def update(
        self, number: int, name: str | None, settings: S3 | Postgres | Webhook | None, credential: str | None
    ) -> Connection:
        """Change what is not None. Refused (409) where a stored credential would be sent to another place."""
        now = utc_now()
        with self._engine.writing() as cursor:
            # One writer at a time: nothing changes between this look and the change.
            before = self.get(number)
            moved = settings is not None and settings != before.settings
            if moved and before.credential_at and credential is None:
                detail = "A stored credential is not sent anywhere else: write it again together with the new settings."
                raise Refused(HTTPStatus.CONFLICT, "credential_needed", detail)
            cursor.execute(
                "UPDATE platform.connections SET name = coalesce(?, name), settings = coalesce(?, settings),"
                " credential = coalesce(?, credential), credential_at = coalesce(?, credential_at), updated_at = ?"
                " WHERE id = ? RETURNING id, name, settings, credential_at, created_at, updated_at",
                [name, settings and settings.model_dump_json(), credential, now if credential else None, now, number],
            )
            return _connection(cursor.fetchall()[0])

    def delete(self, number: int) -> None:
        """Remove a connection and its credential. What was delivered through it stays."""
        with self._engine.writing() as cursor:
            if not cursor.execute("DELETE FROM platform.connections WHERE id = ? RETURNING id", [number]).fetchall():
                raise not_found("connection", number)

    def faults(self, number: int) -> list[str]:
        """What is wrong with a connection, told without calling anybody; empty where it looks usable."""
        rows = self._engine.read("SELECT settings, credential FROM platform.connections WHERE id = ?", [number])
        if not rows:
            raise not_found("connection", number)
        return faults(*rows[0])


def _connection(row: Row) -> Connection:
    number, name, settings, credential_at, created, updated = row
    return Connection(number, name, read_settings(settings), credential_at, created, updated)
