"""The rules: which operation needs what. An operation that is not among them is refused.

Holds what the table means; how its file is read stands in ``wire/rules_file``, and how a request
finds its rule in ``matcher``.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from scopekey.core.requirement import Requirement
from scopekey.core.template import InvalidTemplateError, Shape, Template

# A method is a token (RFC 9110 section 9.1); the registered ones are upper case, and case matters.
METHOD = re.compile(r"[A-Z][A-Z0-9-]{0,31}")


class InvalidOperationError(ValueError):
    """The text is not `METHOD /path`; says why."""


class Operation(msgspec.Struct, frozen=True):
    """An HTTP method and a path template: `GET /datasets/{dataset_id}/sample`."""

    method: str
    template: Template

    @classmethod
    def parse(cls, text: str) -> "Operation":
        """Read `METHOD /path`. Raises InvalidOperationError."""
        method, space, path = text.partition(" ")
        if not space or not METHOD.fullmatch(method):
            raise InvalidOperationError(f"{text!r} is not an operation: write METHOD /path, as in GET /datasets")
        try:
            return cls(method, Template.parse(path))
        except InvalidTemplateError as error:
            raise InvalidOperationError(str(error)) from error

    def __str__(self) -> str:
        return f"{self.method} {self.template.text}"


class Mode(StrEnum):
    """`report` forgives a missing permission, and only that; the record keeps the denial."""

    ENFORCE = "enforce"
    REPORT = "report"


class Rule(msgspec.Struct, frozen=True):
    """One operation and what it needs; `requirement` is None where it is public.

    `object` names the parameter that names the object, for the audit log.
    """

    operation: Operation
    requirement: Requirement | None
    object: str | None = None
    mode: Mode = Mode.ENFORCE

    @property
    def public(self) -> bool:
        """Tell whether the operation is allowed without a key."""
        return self.requirement is None


class RuleFault(msgspec.Struct, frozen=True):
    """One thing wrong with the table: the rule's position in it, and what to do."""

    rule: int
    field: str
    message: str


class Rules(msgspec.Struct, frozen=True):
    """The table. Its order means nothing; `cors_preflight` lets CORS preflights pass unlisted."""

    rules: tuple[Rule, ...] = ()
    cors_preflight: bool = False

    def faults(self) -> Iterator[RuleFault]:
        """List what makes the table ambiguous: an operation listed twice, an object that is no parameter.

        Two templates that differ in the names of their parameters alone are one operation.
        """
        seen: dict[tuple[str, Shape], int] = {}
        for at, rule in enumerate(self.rules):
            text = str(rule.operation)
            first = seen.setdefault((rule.operation.method, rule.operation.template.shape), at)
            if first != at:
                yield RuleFault(at, "operation", f"{text!r} has two rules (the first is rule {first + 1}): keep one")
            if rule.object is not None and rule.object not in rule.operation.template.names:
                yield RuleFault(at, "object", f"{text!r} has no parameter {rule.object!r} to name its object")
