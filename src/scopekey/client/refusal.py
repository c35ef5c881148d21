"""From an answer that is no success to the error it means."""

import json
from collections.abc import Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from scopekey.client.errors import ApiError, RefusedError, Told, error_of
from scopekey.client.secret import Secret
from scopekey.core.problem import PROBLEMS

_LONGEST_BODY = 65_536
_USUAL = frozenset({"type", "title", "status", "detail", "code"})


def refusal_of(response: httpx.Response, now: float, secret: Secret) -> RefusedError | ApiError:
    """The error of an answer that has been read. `now` is in seconds since the epoch."""
    # A platform that repeats the request in its fault must not put the key into an error: it is read without it.
    headers = httpx.Headers([(name, secret.mask_field(value)) for name, value in response.headers.raw])
    body = secret.mask(response.text)
    document = _document(headers, body)
    own = headers.get("scopekey-code")
    code = _text(document.get("code")) or own
    # A document may be the proxy's own, put in the place of ours: then the field still says what it was.
    for said, members in ((code, document), (own, {})):
        known = error_of(said, _told(said, members, headers, response.status_code, now)) if said is not None else None
        if known is not None:
            return known
    said = f"{response.status_code} {response.reason_phrase}".strip()
    detail = f"The platform answered {said}."
    if code is not None:
        detail = f"The platform answered {said} with the code {code!r}, which this version does not know."
    return ApiError(secret.mask(detail), response.status_code, headers, body[:_LONGEST_BODY], code)


def retry_after(headers: httpx.Headers, now: float) -> float | None:
    """How long an answer asks to wait, in seconds: a number or a date (RFC 9110 section 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value[:9])
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)


def _document(headers: httpx.Headers, body: str) -> dict[str, object]:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/problem+json":
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(code: str, document: dict[str, object], headers: httpx.Headers, status: int, now: float) -> Told:
    problem = PROBLEMS.get(code)
    missing = _names(document.get("missing"))
    if missing is None:
        missing = _listed(headers.get("scopekey-missing", ""))
    required = document.get("required")
    if not isinstance(required, list):
        required = [_listed(one) for one in headers.get("scopekey-requires", "").split(";") if one.strip()]
    return Told(
        status,
        _text(document.get("title")) or (problem.title if problem else code),
        _text(document.get("detail")) or _described(code, missing),
        _text(document.get("request_id")) or headers.get("x-request-id"),
        _text(document.get("key_id")),
        _text(document.get("operation")),
        tuple(_names(one) or () for one in required),
        missing,
        retry_after(headers, now),
        {name: value for name, value in document.items() if name not in _USUAL},
    )


def _described(code: str, missing: tuple[str, ...]) -> str:
    """The words of a refusal of which a proxy let only the header fields through."""
    problem = PROBLEMS.get(code)
    if problem is None:
        return f"The call was refused: {code}."
    if not missing:
        return problem.detail
    held = "it" if len(missing) == 1 else "them"
    return f"This call needs {' and '.join(missing)}; the key does not hold {held}. {problem.action}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _names(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, Iterable) or isinstance(value, str):
        return None
    names = tuple(one for one in value if isinstance(one, str))
    return names or None


def _listed(value: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in value.split(",") if one.strip())
