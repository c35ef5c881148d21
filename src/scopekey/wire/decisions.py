"""Decisions on their way up: the batch that a verifier hands to the control plane, as bytes.

The format is spec/journal.md. What decisions have in common stands once in each batch, in tables;
each decision is one short array that points into them. Reading gives the audit entries that the
verifier's own process would have written. What a reader does not know it refuses, with all of the batch.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from scopekey.audit.entry import MAX_NUMBER, NONCE_SIZE, Entry, Who, canonical
from scopekey.core.decision import DenialReason
from scopekey.core.permission import MAX_LENGTH

_T = TypeVar("_T")
FORMAT = 1
MAX_RECORDS = 1_000
"""The most records of one batch. Each may point at the same long list: this bounds what they unfold to."""
MAX_SIZE = 1 << 20
"""The most bytes of one batch: what the management API takes of a body."""
MAX_TEXT = 16_384
"""The most characters of an operation and of an object; a path has at most half of that."""
_MINUTE = 60_000

_Number = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
# Added to the number of the first record, it must still be a number.
_Offset = Annotated[int, Meta(ge=0, le=MAX_NUMBER - MAX_RECORDS)]
_Index = Annotated[int, Meta(ge=0, le=MAX_RECORDS)]
# `$` also matches before a last newline, which the length then refuses.
_Hex = Annotated[str, Meta(pattern="^[0-9a-f]{16}$", max_length=16)]
_Key = Annotated[str, Meta(pattern="^key_[0-9A-Za-z]{12}$", max_length=16)]
_Organization = Annotated[str, Meta(pattern="^org_[0-9A-Za-z]{12}$", max_length=16)]
_Name = Annotated[str, Meta(max_length=MAX_LENGTH)]
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Short = Annotated[str, Meta(max_length=200)]
_Code = Annotated[DenialReason, Meta(description="The code of a refusal")]


class UnreadableBatchError(ValueError):
    """The bytes are no batch that can be recorded; `field` is the place, and nothing sent is repeated."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"`{field}`: {why}" if field else why)
        self.field = field


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True, gc=False):
    """One line of a table: an array, its members in the order in which they stand here."""


class OperationRow(_Row, frozen=True):
    """What decisions were about: the operation, what it needs and means, and whether its rule only reports."""

    operation: _Text | None
    required: list[list[_Name]] | None
    intended: list[Annotated[list[_Text], Meta(min_length=2, max_length=2)]] | None
    report: bool


class DecisionRow(_Row, frozen=True):
    """One decision. `operation` and `held` are places in the tables, counted from 0.

    `outcome` is the alternative that was met, or the code of the refusal.
    """

    at: _Number
    operation: _Index
    key: _Key | None
    organization: _Organization | None
    secret: _Number | None
    held: _Index | None
    outcome: _Index | _Code
    missing: list[_Name] | None
    object: _Text | None
    address: _Short | None
    request_id: _Short | None
    position: _Number
    age: _Number
    stale: bool


class RefusalsRow(_Row, frozen=True):
    """How many refusals without a genuine key there were in one minute, of one code, from one network."""

    minute: _Number
    code: _Code
    network: _Short
    count: Annotated[int, Meta(ge=1, le=MAX_NUMBER)]


class JournalBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records in the order of their numbers: decisions first, then counts."""

    format: Literal[1]
    node: _Hex
    file: _Hex
    offset: _Offset
    lost: _Offset
    durable: bool
    operations: Annotated[list[OperationRow], Meta(max_length=MAX_RECORDS)]
    grants: Annotated[list[list[_Name]], Meta(max_length=MAX_RECORDS)]
    decisions: Annotated[list[DecisionRow], Meta(max_length=MAX_RECORDS)]
    refusals: Annotated[list[RefusalsRow], Meta(max_length=MAX_RECORDS)]

    @property
    def next(self) -> int:
        """The number after that of the last record."""
        return self.offset + len(self.decisions) + len(self.refusals)

    def place(self, record: int) -> str:
        """Where a record stands in the batch, in words."""
        counts = record - len(self.decisions)
        return f"decisions.{record}" if counts < 0 else f"refusals.{counts}"

    def entries(self, random: Callable[[int], bytes]) -> Iterator[Entry]:
        """Write each record as its audit entry. Raises UnreadableBatchError where one points at nothing."""
        for at, row in enumerate(self.decisions):
            try:
                yield self._decision(row, random(NONCE_SIZE).hex())
            except ValueError as error:
                raise UnreadableBatchError(f"decisions.{at}", str(error)) from None
        for counted in self.refusals:
            yield self._counted(counted, random(NONCE_SIZE).hex())

    def _decision(self, row: DecisionRow, nonce: str) -> Entry:
        operation = _pick(self.operations, row.operation, "operations")
        code, used = None, None
        if isinstance(row.outcome, DenialReason):
            code = row.outcome.value
        elif operation.required is not None:
            used = _pick(operation.required, row.outcome, "what the operation requires")
        if (row.key is None) != (row.organization is None) or (row.key is None and row.held is not None):
            raise ValueError("a key has its organization, and only a key holds anything")
        if row.request_id is not None and "\0" in row.request_id:
            raise ValueError("a request id holds the character NUL, which cannot be stored")
        reported = operation.report and row.outcome is DenialReason.MISSING_PERMISSION
        return Entry(
            nonce=nonce,
            at=row.at,
            kind="decision",
            node=self.node,
            actor=Who("key", row.key, row.organization) if row.key else None,
            organization=row.organization,
            key=row.key,
            secret=row.secret,
            operation=operation.operation,
            object=row.object,
            required=operation.required,
            held=None if row.held is None else _pick(self.grants, row.held, "grants"),
            used=used,
            missing=row.missing,
            intended=operation.intended,
            allowed=code is None,
            code=code,
            report=True if reported else None,
            stale=True if row.stale else None,
            age=row.age,
            address=row.address,
            request_id=row.request_id,
            position=row.position,
        )

    def _counted(self, row: RefusalsRow, nonce: str) -> Entry:
        return Entry(
            nonce=nonce,
            at=row.minute + _MINUTE,
            kind="refusals",
            node=self.node,
            allowed=False,
            code=row.code.value,
            address=row.network,
            count=row.count,
        )


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(JournalBatch)
_PLACE = re.compile(r"^(?P<why>.*?)(?: - at `\$\.?(?P<field>[^`]*)`)?$", re.DOTALL)
_INDEX = re.compile(r"\[(\d+|\.\.\.)\]")


def write_batch(
    *,
    node: str,
    file: str,
    offset: int,
    lost: int,
    operations: Sequence[tuple[Any, ...]],
    grants: Sequence[Sequence[str]],
    decisions: Sequence[tuple[Any, ...]],
    refusals: Sequence[tuple[Any, ...]],
) -> bytes:
    """Write a batch whose rows are tuples in the order of the row types: plain tuples cost the least.

    Nothing is checked here but that texts have a spelling. Raises UnicodeEncodeError for a lone surrogate.
    """
    return _ENCODER.encode(
        {
            "format": FORMAT,
            "node": node,
            "file": file,
            "offset": offset,
            "lost": lost,
            "durable": False,
            "operations": operations,
            "grants": grants,
            "decisions": decisions,
            "refusals": refusals,
        }
    )


def read_batch(encoded: bytes, random: Callable[[int], bytes]) -> tuple[JournalBatch, list[tuple[Entry, bytes]]]:
    """Read a batch, and its entries with their canonical bytes: all of them, or UnreadableBatchError."""
    try:
        batch = _DECODER.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None
    if not 1 <= batch.next - batch.offset <= MAX_RECORDS:
        raise UnreadableBatchError("decisions", f"a batch has 1 to {MAX_RECORDS} records, counts included")
    if batch.lost > batch.offset:
        raise UnreadableBatchError("lost", "more records are said to be lost than were numbered")
    found: list[tuple[Entry, bytes]] = []
    for entry in batch.entries(random):
        try:
            found.append((entry, canonical(entry)))
        except ValueError as error:
            raise UnreadableBatchError(batch.place(len(found)), str(error)) from None
    return batch, found


def _pick(table: Sequence[_T], at: int, name: str) -> _T:
    if at >= len(table):
        raise ValueError(f"it points beyond the end of {name}")
    return table[at]


def _unreadable(error: Exception) -> UnreadableBatchError:
    """Say where and what, in words that repeat nothing of what was sent."""
    if not isinstance(error, msgspec.ValidationError):
        return UnreadableBatchError("", "the body is not JSON in UTF-8")
    found = _PLACE.match(str(error))
    field = _INDEX.sub(r".\1", found["field"] or "") if found else ""
    why = found["why"] if found else ""
    return UnreadableBatchError(
        field, why if why.startswith("Expected ") else "it holds what this version does not know"
    )
