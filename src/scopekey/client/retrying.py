"""Whether a call is tried again, and after how long (spec/clients.md). Chance and clock are arguments."""

from scopekey.client.errors import ApiError, RateLimitedError, ScopekeyError, UnavailableError, UnreachableError
from scopekey.client.refusal import retry_after

FIRST = 0.5
LONGEST = 8.0
LONGEST_ASKED = 60.0
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_PASSING = frozenset({500, 502, 503, 504})
_TOO_MANY = 429


def wait_before(
    error: ScopekeyError, *, method: str, once: bool, before: int, most: int, now: float, random: float
) -> float | None:
    """Seconds to wait for another try; None where there is none.

    `once` says that the call carries an idempotency key, `before` how often it was tried again so far and `most`
    how often it may be; `random` is from 0 to below 1.
    """
    if before >= most or not _passes(error, repeatable=once or method in _REPEATABLE):
        return None
    asked = _asked(error, now)
    if asked is not None:
        return asked if asked <= LONGEST_ASKED else None
    return random * min(FIRST * 2.0**before, LONGEST)


def _passes(error: ScopekeyError, *, repeatable: bool) -> bool:
    # These were refused before anything was done.
    if error.status == _TOO_MANY or isinstance(error, UnavailableError):
        return True
    if isinstance(error, UnreachableError):
        # With a status an answer came, of somebody else's: the next one would be no better.
        return repeatable and error.status is None
    return repeatable and error.status in _PASSING


def _asked(error: ScopekeyError, now: float) -> float | None:
    if isinstance(error, RateLimitedError | UnavailableError):
        return error.retry_after
    return retry_after(error.headers, now) if isinstance(error, ApiError) else None
