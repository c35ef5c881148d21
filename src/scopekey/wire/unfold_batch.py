"""From a batch to audit entries, as their canonical bytes: what its tables hold is written once for each batch."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

from scopekey.audit.entry import MAX_ENTRY_SIZE, NONCE_SIZE, Entry, canonical
from scopekey.core.decision import DenialReason
from scopekey.wire.batch_rows import DecisionRow, JournalBatch, OperationRow, UnreadableBatchError

_T = TypeVar("_T")
_MINUTE = 60_000
_DIGITS = 2 * NONCE_SIZE
_KEY = re.compile(r"key_[0-9A-Za-z]{12}")
_ORGANIZATION = re.compile(r"org_[0-9A-Za-z]{12}")
_encode = msgspec.json.Encoder().encode


class _Decided(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The members of a decision's `Entry`, in the order of canonical bytes; what is shared is written already."""

    actor: Raw | None = None
    address: str | None = None
    age: int
    allowed: bool
    at: int
    code: str | None = None
    held: Raw | None = None
    intended: Raw | None = None
    key: str | None = None
    kind: str
    missing: list[str] | None = None
    node: str
    nonce: str
    object: str | None = None
    operation: Raw | None = None
    organization: str | None = None
    position: int
    report: bool | None = None
    request_id: str | None = None
    required: Raw | None = None
    secret: int | None = None
    stale: bool | None = None
    used: Raw | None = None


class _Operation:
    """One row of the table of operations, its parts as they stand in entries."""

    __slots__ = ("intended", "operation", "report", "required", "used")

    def __init__(self, row: OperationRow) -> None:
        self.operation = _raw(row.operation)
        self.required = _raw(row.required)
        self.intended = _raw(row.intended)
        self.used = None if row.required is None else [_raw(alternative) for alternative in row.required]
        self.report = row.report


class _Unfolding:
    def __init__(self, batch: JournalBatch) -> None:
        self._node = batch.node
        self._operations = list(map(_Operation, batch.operations))
        self._grants = list(map(_raw, batch.grants))
        self._actors: dict[tuple[str, str | None], Raw] = {}

    def body(self, row: DecisionRow, nonce: str) -> bytes:
        """The canonical bytes of a decision. Raises ValueError where it points at nothing, or holds what cannot be."""
        operation = _pick(self._operations, row.operation, "operations")
        outcome = row.outcome
        code = used = None
        if isinstance(outcome, DenialReason):
            code = outcome.value
        elif operation.used is not None:
            used = _pick(operation.used, outcome, "what the operation requires")
        key, organization, held = row.key, row.organization, row.held
        if key is not None:
            actor = self._actors.get((key, organization)) or self._actor(key, organization)
        elif organization is not None or held is not None:
            raise ValueError("a key has its organization, and only a key holds anything")
        else:
            actor = None
        request_id = row.request_id
        if request_id is not None and "\0" in request_id:
            raise ValueError("a request id holds the character NUL, which cannot be stored")
        body = _encode(
            _Decided(
                actor=actor,
                address=row.address,
                age=row.age,
                allowed=code is None,
                at=row.at,
                code=code,
                held=None if held is None else _pick(self._grants, held, "grants"),
                intended=operation.intended,
                key=key,
                kind="decision",
                missing=row.missing,
                node=self._node,
                nonce=nonce,
                object=row.object,
                operation=operation.operation,
                organization=organization,
                position=row.position,
                report=True if operation.report and outcome is DenialReason.MISSING_PERMISSION else None,
                request_id=request_id,
                required=operation.required,
                secret=row.secret,
                stale=True if row.stale else None,
                used=used,
            )
        )
        if len(body) > MAX_ENTRY_SIZE:
            raise ValueError(f"an audit entry has {len(body)} bytes; at most {MAX_ENTRY_SIZE} can be logged")
        return body

    def _actor(self, key: str, organization: str | None) -> Raw:
        if organization is None:
            raise ValueError("a key has its organization, and only a key holds anything")
        if not _KEY.fullmatch(key) or not _ORGANIZATION.fullmatch(organization):
            raise ValueError("an id of a key or of an organization has another form")
        made = self._actors[key, organization] = Raw(_encode({"id": key, "kind": "key", "organization": organization}))
        return made


def unfold(batch: JournalBatch, random: Callable[[int], bytes], now: int) -> list[bytes]:
    """The canonical bytes of each record's entry, each with a nonce of its own. Raises UnreadableBatchError.

    `now` is the time of a file that was cut.
    """
    nonces = random(NONCE_SIZE * len(batch)).hex()
    bodies: list[bytes] = []
    try:
        unfolding = _Unfolding(batch)
        for at, row in enumerate(batch.decisions):
            bodies.append(unfolding.body(row, nonces[_DIGITS * at : _DIGITS * (at + 1)]))
        bodies.extend(map(canonical, _others(batch, nonces[_DIGITS * len(bodies) :], now)))
    except ValueError as error:
        raise UnreadableBatchError(batch.place(len(bodies)), str(error)) from None
    return bodies


def gap(action: str, node: str, count: int, nonce: bytes, now: int) -> Entry:
    """The entry of what a journal lost: `journal.lost` counts records, `journal.cut` bytes."""
    return Entry(nonce=nonce.hex(), at=now, kind="gap", node=node, action=action, count=count)


def _others(batch: JournalBatch, nonces: str, now: int) -> list[Entry]:
    found = [
        Entry(
            nonce=nonces[_DIGITS * at : _DIGITS * (at + 1)],
            at=row.minute + _MINUTE,
            kind="refusals",
            node=batch.node,
            allowed=False,
            code=row.code.value,
            address=row.network,
            count=row.count,
        )
        for at, row in enumerate(batch.refusals)
    ]
    if batch.cut:
        found.append(gap("journal.cut", batch.node, batch.cut, bytes.fromhex(nonces[-_DIGITS:]), now))
    return found


def _raw(value: object) -> Raw | None:
    return None if value is None else Raw(_encode(value))


def _pick(table: Sequence[_T], at: int, name: str) -> _T:
    if at >= len(table):
        raise ValueError(f"it points beyond the end of {name}")
    return table[at]
