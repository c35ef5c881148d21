"""Times and durations as people and programs write them: RFC 3339, ``90d``, ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

_SHORT = re.compile(r"(\d{1,9})(ms|s|m|h|d|w)")
_ISO = re.compile(r"P(?=.)(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?")
RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_ISO_UNITS = (604_800_000, 86_400_000, 3_600_000, 60_000, 1_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LONGEST = 100 * 365 * 86_400_000
"""The longest duration that is accepted, a hundred years: what is longer is a slip."""


class InvalidDurationError(ValueError):
    """The text is not a duration; says how one is written."""


def parse_duration(text: str) -> int:
    """Read `90d`, `24h`, `15m`, `0s` or ISO 8601 `P90D`, `PT24H`, as milliseconds.

    Raises InvalidDurationError, also for more than a hundred years.
    """
    length = _milliseconds(text)
    if length is None:
        raise InvalidDurationError(f"{text!r} is not a duration: write 90d, 24h, 15m, 30s or ISO 8601 as in P90D")
    if length > LONGEST:
        raise InvalidDurationError(f"{text!r} is longer than a hundred years")
    return length


def _milliseconds(text: str) -> int | None:
    short = _SHORT.fullmatch(text)
    if short:
        return int(short[1]) * _UNITS[short[2]]
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        return sum(int(amount or 0) * unit for amount, unit in zip(iso.groups(), _ISO_UNITS, strict=True))
    return None


def parse_moment(text: str, now: int) -> int:
    """Read a time of RFC 3339, or a duration before now, as milliseconds since the epoch. Raises ValueError."""
    try:
        return (
            to_millis(datetime.fromisoformat(text.upper())) if RFC3339.fullmatch(text) else now - parse_duration(text)
        )
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment: write a time with its zone as in 2027-02-21T09:00:00Z, or how long ago, as in 7d"
        ) from None


def print_duration(length: int) -> str:
    """Write milliseconds as the shortest exact duration: `90d`."""
    for unit in ("d", "h", "m", "s"):
        if length % _UNITS[unit] == 0:
            return f"{length // _UNITS[unit]}{unit}"
    return f"{length}ms"


def from_millis(at: int) -> datetime:
    """Milliseconds since the epoch as a UTC time."""
    return _EPOCH + timedelta(milliseconds=at)


def to_millis(at: datetime) -> int:
    """A time with a zone as whole milliseconds since the epoch, rounded down."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def rfc3339(at: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC: `2026-11-23T21:50:29.123Z`."""
    return from_millis(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
