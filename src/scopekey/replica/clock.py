"""The wall clock of a verifier."""

import time


def milliseconds() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000
