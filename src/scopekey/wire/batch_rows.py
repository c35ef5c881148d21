"""The batch of decisions that a verifier hands to the control plane, as it is laid out (spec/journal.md).

What decisions have in common stands once in each batch, in tables; each decision is one short array that
points into them.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scopekey.audit.entry import MAX_NUMBER
from scopekey.core.decision import DenialReason
from scopekey.core.permission import MAX_LENGTH

FORMAT = 1
MAX_RECORDS = 1_000
"""The most records of one batch. Each may point at the same long list: this bounds what they unfold to."""
MAX_SIZE = 1 << 20
"""The most bytes of one batch: what the management API takes of a body."""
MAX_TEXT = 16_384
"""The most characters of an operation and of an object; a path has at most half of that."""

_Number = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
# Added to the number of the first record, it must still be a number.
_Offset = Annotated[int, Meta(ge=0, le=MAX_NUMBER - MAX_RECORDS)]
_Index = Annotated[int, Meta(ge=0, le=MAX_RECORDS)]
# `$` also matches before a last newline, which the length then refuses.
_Hex = Annotated[str, Meta(pattern="^[0-9a-f]{16}$", max_length=16)]
# Looked at once for each that a batch names, and not at every decision.
_Key = Annotated[str, Meta(max_length=16, extra_json_schema={"pattern": "^key_[0-9A-Za-z]{12}$"})]
_Organization = Annotated[str, Meta(max_length=16, extra_json_schema={"pattern": "^org_[0-9A-Za-z]{12}$"})]
# What the log is searched by, and use is counted by, must be what every database keeps: one record that it does
# not keep would hold up all that come after it.
_NO_NUL = "^[^\\x00]*$"
_Name = Annotated[str, Meta(max_length=MAX_LENGTH, pattern=_NO_NUL)]
_Operation = Annotated[str, Meta(max_length=MAX_TEXT, pattern=_NO_NUL)]
_Secret = Annotated[int, Meta(ge=0, le=2**31 - 1)]
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

    operation: _Operation | None
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
    secret: _Secret | None
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
    """Records in the order of their numbers: decisions first, then counts, and at the end a file that was cut.

    `cut` is how many bytes were cut off at the end of the file, 0 where none were: that is a record too.
    """

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
    cut: _Number = 0

    def __len__(self) -> int:
        return len(self.decisions) + len(self.refusals) + (self.cut > 0)

    @property
    def next(self) -> int:
        """The number after that of the last record."""
        return self.offset + len(self)

    def place(self, record: int) -> str:
        """Where a record stands in the batch, in words."""
        counts = record - len(self.decisions)
        return f"decisions.{record}" if counts < 0 else f"refusals.{counts}"
