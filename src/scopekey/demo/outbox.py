"""What is to be sent through connections: kept here as CSV, and sent nowhere. This platform calls no network."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from scopekey.demo.connection_store import Connection
from scopekey.demo.dataset_store import Dataset
from scopekey.demo.engine import Engine, utc_now
from scopekey.demo.limits import Limits
from scopekey.demo.problems import Refused


@dataclass(frozen=True, slots=True)
class Delivery:
    """One dataset as it was handed over to a connection, without its rows."""

    id: int
    connection_id: int
    dataset_id: int
    row_count: int
    created_at: datetime


class Outbox:
    """The latest deliveries of the platform."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine, self._limits = engine, limits

    def deliver(self, connection: Connection, dataset: Dataset) -> Delivery:
        """Hand over all rows of a dataset. Refused (413) where there are more than a delivery holds."""
        most = self._limits.result_rows
        rows = self._engine.read(f"SELECT * FROM {dataset.table} LIMIT ?", [most + 1])  # noqa: S608 (our table)
        content = io.StringIO()
        lines = csv.writer(content)
        lines.writerow([column.name for column in dataset.columns])
        lines.writerows(rows)
        if len(rows) > most or content.tell() > self._limits.result_bytes:
            detail = f"A delivery holds {most:,} rows and {self._limits.result_bytes:,} characters."
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail)
        return self._keep(connection, dataset, len(rows), content.getvalue())

    def page(self, connection: int, *, after: int, limit: int) -> list[Delivery]:
        """Deliveries through one connection numbered above `after`, in order."""
        rows = self._engine.read(
            "SELECT id, connection_id, dataset_id, row_count, created_at FROM platform.outbox"
            " WHERE connection_id = ? AND id > ? ORDER BY id LIMIT ?",
            [connection, after, limit],
        )
        return [Delivery(*row) for row in rows]

    def _keep(self, connection: Connection, dataset: Dataset, count: int, content: str) -> Delivery:
        now = utc_now()
        with self._engine.writing() as cursor:
            cursor.execute(
                "INSERT INTO platform.outbox VALUES (nextval('platform.delivery_ids'), ?, ?, ?, ?, ?) RETURNING id",
                [connection.id, dataset.id, count, content, now],
            )
            number = cursor.fetchall()[0][0]
            cursor.execute("DELETE FROM platform.outbox WHERE id <= ?", [number - self._limits.kept_deliveries])
        return Delivery(number, connection.id, dataset.id, count, now)
