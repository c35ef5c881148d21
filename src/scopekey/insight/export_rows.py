"""Entries of the log as rows for other programs: CSV (RFC 4180) and JSON lines.

The data is exact. What a caller wrote may begin with `=`, `+`, `-` or `@`, which spreadsheets take for a
formula: import it as text.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from scopekey.audit.entry import Entry
from scopekey.audit.merkle import leaf_hash
from scopekey.wire.times import rfc3339

NUMBERS = frozenset({"index", "secret", "position", "age", "count"})
"""The columns that hold whole numbers; all others hold text."""
COLUMNS = (
    *("index", "hash", "time", "kind", "organization", "actor_kind", "actor", "key", "secret", "action"),
    *("operation", "object", "decision", "code", "required", "held", "used", "missing", "intended", "address"),
    *("request_id", "node", "position", "age", "count", "before", "after", "entry"),
)
"""What a row says, in this order; `entry` is the canonical text, from which `hash` can be computed."""

Cell = int | str | None
_LATEST = 253_402_300_799_999


def row_of(index: int, entry: Entry, body: bytes) -> tuple[Cell, ...]:
    """Write an entry as a row. Lists have commas between their members, alternatives and pairs semicolons."""
    actor = entry.actor
    return (
        index,
        leaf_hash(body).hex(),
        rfc3339(min(entry.at, _LATEST)),
        entry.kind,
        entry.organization,
        actor.kind if actor else None,
        actor.id if actor else None,
        entry.key,
        entry.secret,
        entry.action,
        entry.operation,
        entry.object,
        decision_of(entry),
        entry.code,
        None if entry.required is None else "; ".join(map(", ".join, entry.required)),
        _joined(entry.held),
        _joined(entry.used),
        _joined(entry.missing),
        None if entry.intended is None else "; ".join(map(" ".join, entry.intended)),
        entry.address,
        entry.request_id,
        entry.node,
        entry.position,
        entry.age,
        entry.count,
        _state(entry.before),
        _state(entry.after),
        body.decode(),
    )


def decision_of(entry: Entry) -> str | None:
    """How a decision ended: `allowed`, `refused`, or `reported` where a refusal was forgiven."""
    if entry.allowed is None:
        return None
    return "allowed" if entry.allowed else "reported" if entry.report else "refused"


def csv_lines(rows: Iterable[Sequence[Cell]]) -> str:
    """Write rows as lines of CSV. What is absent is empty."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def json_line(index: int, body: bytes) -> bytes:
    """Write an entry as one line of JSON: `entry` holds its canonical bytes as they are."""
    return b'{"index":%d,"hash":"%s","entry":%s}\n' % (index, leaf_hash(body).hex().encode(), body)


def typed_line(row: Sequence[Cell]) -> bytes:
    """Write a row as one line of JSON, by the names of its columns."""
    return msgspec.json.encode(dict(zip(COLUMNS, row, strict=True))) + b"\n"


def _joined(names: Iterable[str] | None) -> str | None:
    return None if names is None else ", ".join(names)


def _state(state: dict[str, Any] | None) -> str | None:
    return None if state is None else msgspec.json.encode(state, order="sorted").decode()
