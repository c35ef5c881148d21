"""A batch as the bytes that go up. It shares its process with the checks, so it does as little as it can."""

from collections.abc import Sequence
from typing import Any

from scopekey.core.decision import Allowed
from scopekey.core.requirement import Need
from scopekey.replica.batch import Batch
from scopekey.replica.event import Event
from scopekey.wire.decisions import UnreadableBatchError, read_batch, write_batch

Row = tuple[Any, ...]


def encode(batch: Batch, node: str) -> bytes:
    """Write a batch. Raises UnicodeEncodeError for a text that has no spelling."""
    operations, grants, decisions = _tables(batch.events)
    return write_batch(
        node=node,
        file=batch.file,
        offset=batch.offset,
        lost=batch.lost,
        durable=batch.durable,
        operations=operations,
        grants=grants,
        decisions=decisions,
        refusals=[(cell.minute, cell.code, cell.network, count) for cell, count in batch.counts],
    )


def unreadable(events: Sequence[Event], node: str) -> list[int]:
    """The places of the events that no reader of our own version takes, each tried alone. Slow."""
    return [at for at, event in enumerate(events) if not _is_readable(event, node)]


def _is_readable(event: Event, node: str) -> bool:
    try:
        read_batch(encode(Batch("0" * 16, 0, 0, (event,)), node), bytes)
    except (UnreadableBatchError, UnicodeEncodeError):
        return False
    return True


def _tables(events: tuple[Event, ...]) -> tuple[list[Row], list[tuple[str, ...]], list[Row]]:
    """Three tables: operations, grants, and the decisions that point into them. What the entries will say is here."""
    operations: list[Row] = []
    grants: list[tuple[str, ...]] = []
    rows: list[Row] = []
    # By identity: the events keep alive what is counted here, and equal things are rarely two.
    known: dict[tuple[str | None, int, bool], int] = {}
    held: dict[tuple[int, int], int] = {}
    # One turn for each decision, on the interpreter that answers requests: no calls where none is needed.
    for event in events:
        decision, match, register = event.decision, event.match, event.register
        key, secret = decision.key, decision.secret
        need = decision.need
        report = False
        if match is not None:
            report = match.report
            if need is None:
                need = match.need
        about = (event.operation, id(need), report)
        operation = known.get(about)
        if operation is None:
            operation = known[about] = len(operations)
            operations.append((event.operation, *_needed(need), report))
        grant = None
        if key is not None and register is not None:
            holds = (key.held(event.at) if key.probation else key.grant, id(register))
            grant = held.get(holds)
            if grant is None:
                grant = held[holds] = len(grants)
                grants.append(register.names(holds[0]))
        outcome: int | str
        missing = None
        if isinstance(decision, Allowed):
            outcome = decision.used
        else:
            outcome = decision.reason
            if decision.missing:
                missing = [str(permission) for permission in decision.missing]
        rows.append(
            (
                event.at,
                operation,
                None if key is None else key.id,
                None if key is None else key.organization,
                None if secret is None else secret.number,
                grant,
                outcome,
                missing,
                event.object,
                event.address,
                event.request_id or None,
                event.position,
                event.age,
                event.stale,
            )
        )
    return operations, grants, rows


def _needed(need: Need | None) -> tuple[Any, Any]:
    if need is None:
        return None, None
    # Written out when the rules were compiled: a batch may hold as many operations as decisions.
    return need.names or need.requirement.names(), need.intended or None
