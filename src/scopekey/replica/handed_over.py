"""Until when everything in a journal is handed over: said by whoever carries, for every process to see.

It is the time of modification of a file, so that nothing has to be written or read.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

_OFTEN = 500_000_000


class Read(Protocol):
    """A file of which so much is handed over."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def at(self) -> int:
        """Up to which byte it is handed over."""

    def size(self) -> int:
        """How many bytes it has now. Raises OSError."""


class HandedOver:
    """Follows one moment after the other: says so once all that stood in the files at that moment is handed over."""

    def __init__(self, told: Path) -> None:
        self._told = told
        self._looked = self._said = 0
        self._ends: dict[Path, int] | None = None

    def look(self, moment: int, files: Iterable[Read]) -> None:
        """Take in how far the files reach, unless an earlier moment is still waited for. Raises OSError.

        `moment` is one before they were listed, in nanoseconds since the epoch.
        """
        if self._ends is None:
            self._looked, self._ends = moment, {file.path: file.size() for file in files}

    def note(self, files: Iterable[Read]) -> None:
        """Say so where all of it is handed over by now."""
        ends = self._ends
        if ends is not None and all(file.at >= ends.get(file.path, 0) for file in files):
            self._ends = None
            if self._looked - self._said >= _OFTEN:
                self._said = self._looked
                with suppress(OSError):
                    os.utime(self._told, ns=(self._looked, self._looked))


def handed_over_until(told: Path) -> int | None:
    """Until when, in milliseconds since the epoch; None where nobody ever carried."""
    try:
        return told.stat().st_mtime_ns // 1_000_000
    except OSError:
        return None
