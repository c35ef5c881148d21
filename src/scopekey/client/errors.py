"""Every way in which a call of the client can fail, as classes with literal codes (spec/clients.md)."""

import copyreg
import re
from typing import Any, Literal, get_args

import httpx
import msgspec

InvalidKeyCode = Literal[
    "no_credential",
    "ambiguous_credential",
    "malformed_key",
    "unknown_key",
    "revoked_key",
    "expired_key",
    "address_not_allowed",
]
RequestRefusedCode = Literal[
    "invalid_request",
    "unknown_permission",
    "exceeds_caller",
    "not_found",
    "method_not_allowed",
    "conflict",
    "rotation_in_progress",
    "version_conflict",
    "too_large",
    "snapshot_needed",
    "untrusted_proxy",
]
UnavailableCode = Literal["stale_replica", "journal_unavailable", "unavailable"]
ConfigurationCode = Literal[
    "no_api_key", "bad_api_key", "wrong_environment", "no_address", "insecure_url", "bad_request"
]
NoAnswerCode = Literal["unreachable", "timeout"]

_NEEDED = re.compile(r"This call needs (.+?); the key does not hold (?:it|them)\.")


class Told(msgspec.Struct, frozen=True):
    """What a refusal says, wherever it was said: in a problem document, or in header fields alone."""

    status: int
    title: str
    detail: str
    request_id: str | None = None
    key_id: str | None = None
    operation: str | None = None
    required: tuple[tuple[str, ...], ...] = ()
    missing: tuple[str, ...] = ()
    retry_after: float | None = None
    more: dict[str, object] = {}
    """All members of the document but the usual ones."""


class ScopekeyError(Exception):
    """What all errors of the client have. The message says what happened, what it means, and what to do."""

    code: str
    """Which error it is: public, and never reused."""

    def __init__(self, detail: str, *, title: str, status: int | None = None, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.detail: str = detail
        self.title: str = title
        self.status: int | None = status
        self.request_id: str | None = request_id

    def __reduce__(self) -> tuple[Any, ...]:
        # Not made anew from its message alone: process pools hand errors on, and would break over one that cannot be.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined] # typeshed lacks it


class RefusedError(ScopekeyError):
    """Scopekey refused the call, and said why."""

    def __init__(self, told: Told) -> None:
        super().__init__(told.detail, title=told.title, status=told.status, request_id=told.request_id)
        self.told: Told = told


class InvalidKeyError(RefusedError):
    """The key is wrong: none was sent, nobody has it, it has ended or may not be used from here."""

    def __init__(self, code: InvalidKeyCode, told: Told) -> None:
        super().__init__(told)
        self.code: InvalidKeyCode = code
        self.key_id: str | None = told.key_id


class MissingPermissionError(RefusedError):
    """The key is right, and lacks a permission."""

    code: Literal["missing_permission"] = "missing_permission"

    def __init__(self, told: Told) -> None:
        super().__init__(told)
        self.missing: tuple[str, ...] = told.missing
        self.required: tuple[tuple[str, ...], ...] = told.required
        self.operation: str | None = told.operation
        self.key_id: str | None = told.key_id

    @property
    def ask(self) -> str:
        """What to ask for, in words, as in `Ask for Write Datasets (datasets:write)`."""
        needed = _NEEDED.match(self.detail)
        return f"Ask for {needed[1] if needed else ' and '.join(self.missing) or 'a key that may do this'}."


class UnlistedOperationError(RefusedError):
    """No rule lists the operation, so no key opens it."""

    code: Literal["unlisted_operation"] = "unlisted_operation"


class UnreadableTargetError(RefusedError):
    """The path could be read in more than one way."""

    code: Literal["unreadable_target"] = "unreadable_target"


class RequestRefusedError(RefusedError):
    """Scopekey's own API refuses what is asked; the key may be right. `field` is what to mend, where one is named."""

    def __init__(self, code: RequestRefusedCode, told: Told) -> None:
        super().__init__(told)
        self.code: RequestRefusedCode = code
        field = told.more.get("field")
        self.field: str | None = field if isinstance(field, str) else None


class RateLimitedError(RefusedError):
    """Calls come faster than they are served. `retry_after` is in seconds, where it was said."""

    code: Literal["rate_limited"] = "rate_limited"

    def __init__(self, told: Told) -> None:
        super().__init__(told)
        self.retry_after: float | None = told.retry_after


class UnavailableError(RefusedError):
    """The call could not be checked or recorded, and was not let through. `retry_after` is in seconds."""

    def __init__(self, code: UnavailableCode, told: Told) -> None:
        super().__init__(told)
        self.code: UnavailableCode = code
        self.retry_after: float | None = told.retry_after


class ApiError(ScopekeyError):
    """The platform's own answer, or a refusal with a code (`problem_code`) that this version does not know.

    `body` is its text, at most 64 KiB of it.
    """

    code: Literal["api_error"] = "api_error"

    def __init__(
        self, detail: str, status: int, headers: httpx.Headers, body: str, problem_code: str | None = None
    ) -> None:
        request_id = headers.get("x-request-id")
        super().__init__(detail, title="An answer of the platform", status=status, request_id=request_id)
        self.body: str = body
        self.headers: httpx.Headers = headers
        self.problem_code: str | None = problem_code


class UnreachableError(ScopekeyError):
    """No answer came: whether anything happened is not known.

    `status` is set where one came that cannot be read: it broke off, or is not Scopekey's.
    """

    def __init__(self, code: NoAnswerCode, detail: str, status: int | None = None) -> None:
        super().__init__(detail, title="No answer in time" if code == "timeout" else "No answer", status=status)
        self.code: NoAnswerCode = code


class ConfigurationError(ScopekeyError, ValueError):
    """The client was given what it cannot work with; nothing was sent."""

    def __init__(self, code: ConfigurationCode, detail: str) -> None:
        super().__init__(detail, title="Configuration")
        self.code: ConfigurationCode = code


ScopekeyFailure = (
    InvalidKeyError
    | MissingPermissionError
    | UnlistedOperationError
    | UnreadableTargetError
    | RequestRefusedError
    | RateLimitedError
    | UnavailableError
    | ApiError
    | UnreachableError
    | ConfigurationError
)
"""Every error of the client: a `match` over the classes, or over `code`, tells them apart."""


def error_of(code: str, told: Told) -> RefusedError | None:
    """The error that a refusal with a known code is; None for one that this version does not know."""
    if code in get_args(InvalidKeyCode):
        return InvalidKeyError(code, told)  # type: ignore[arg-type] # looked up right before
    if code in get_args(RequestRefusedCode):
        return RequestRefusedError(code, told)  # type: ignore[arg-type] # the same
    if code in get_args(UnavailableCode):
        return UnavailableError(code, told)  # type: ignore[arg-type] # the same
    kind = _ALONE.get(code)
    return None if kind is None else kind(told)


_ALONE: dict[str, type[MissingPermissionError | UnlistedOperationError | UnreadableTargetError | RateLimitedError]] = {
    kind.code: kind
    for kind in (MissingPermissionError, UnlistedOperationError, UnreadableTargetError, RateLimitedError)
}
