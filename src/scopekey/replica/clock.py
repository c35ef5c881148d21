"""The wall clock of a verifier."""

from time import time_ns


def milliseconds() -> int:
    """Milliseconds since the Unix epoch."""
    return time_ns() // 1_000_000
