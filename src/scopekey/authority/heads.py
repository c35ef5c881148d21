"""Checkpoints kept elsewhere: what shows later that the log was cut, put back or written anew.

Each is one line of JSON. Keep the file where those who can write the store cannot.
"""

import os
import sys
from pathlib import Path

import msgspec

from scopekey.store.log import StoredCheckpoint

STANDARD_OUTPUT = "-"


class HeadLine(msgspec.Struct, frozen=True):
    """One line: when it was sealed, in milliseconds since the epoch, and the whole signed checkpoint."""

    at: int
    checkpoint: str


class HeadFile:
    """Appends each checkpoint to a file, or to standard output where it is named `-`."""

    def __init__(self, target: str) -> None:
        self._target = target

    def __call__(self, checkpoint: StoredCheckpoint) -> None:
        """Append one. Raises OSError."""
        line = msgspec.json.encode(HeadLine(checkpoint.at, checkpoint.note)) + b"\n"
        if self._target == STANDARD_OUTPUT:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            return
        # One write to a file opened for appending: several nodes may share it, and each line stays whole.
        file = os.open(Path(self._target), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
