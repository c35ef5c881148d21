"""A finding: something about the rules that a person should know, told the same way each time it is found."""

import hashlib
from enum import StrEnum
from typing import NamedTuple

import msgspec


class Severity(StrEnum):
    """How much a finding matters; `rank` orders them, the gravest first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for an error."""
        return list(Severity).index(self)

    def reaches(self, other: "Severity") -> bool:
        """Tell whether this one is at least as grave as the other."""
        return self.rank <= other.rank


class Words(NamedTuple):
    """What to say of a kind of finding; the message may have places for facts."""

    code: str
    severity: Severity
    message: str
    remedy: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: a stable code, the operations it is about, what is so, and what to do.

    `example` is a request that shows it; `rule` and `field` say where it stands: the position of a rule
    in the table. `needs` is what the judgement rests on: where it changes, it is another finding.
    """

    code: str
    severity: Severity
    operations: tuple[str, ...]
    message: str
    remedy: str
    example: str | None = None
    rule: int | None = None
    field: str = "operation"
    needs: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What names the finding in a baseline: the same as long as it is about the same thing."""
        facts = msgspec.json.encode((self.code, self.operations, self.needs))
        return hashlib.sha256(facts).hexdigest()[:16]
