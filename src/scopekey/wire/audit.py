"""What the calls of the audit log take and give: one definition for the server, the command line and the client."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from scopekey.core.decision import DenialReason
from scopekey.wire.resources import Answer, Time

EntryKind = Literal["change", "decision", "refusals", "reads", "gap"]
Order = Literal["newest", "oldest"]
ExportFormat = Literal["jsonl", "csv"]
MEDIA_TYPES: dict[ExportFormat, str] = {"jsonl": "application/jsonl", "csv": "text/csv"}
DECISIONS = ("allowed", "refused", "reported", *DenialReason)
"""What a decision can be looked for as: how it ended, or the code of its refusal."""
MAX_INDEX = 2**53 - 1

_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]+$"
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_ONE_LINE)]
OperationText = Annotated[str, StringConstraints(min_length=1, max_length=9_000, pattern=_ONE_LINE)]
Index = Annotated[int, Field(ge=0, le=MAX_INDEX, description="The entry's place in the log, from 0")]


class LoggedEntry(Answer):
    """An entry of the log."""

    index: Index
    hash: str = Field(description="SHA-256 over a zero byte and `body` in UTF-8 (RFC 9162 section 2.1.1), hexadecimal")
    at: Time
    entry: dict[str, Any] = Field(description="What the entry says, by the names of spec/entry.md")
    body: str = Field(description="The same as its canonical text, which is what was hashed")


class ProvenEntry(LoggedEntry):
    """An entry with the proof that it is in the log."""

    proof: dict[str, Any] = Field(description="The document that `scopekey audit verify-proof` takes")


class EntryPage(Answer):
    """Entries, and where to go on. A page may be short, or empty, and still have a `next`."""

    items: list[LoggedEntry]
    next: str | None = None
    through: int = Field(description="All entries up to this index were looked at; -1 where the log is empty")
