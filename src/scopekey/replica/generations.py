"""The generations of an index: ``gen-N`` folders, and ``CURRENT``, which names the one in use.

A rebuilt index is a new folder; the pointer is renamed into place. Who has an older one open goes on
reading it undisturbed, also after its folder was removed.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

POINTER = "CURRENT"
_FOLDER = re.compile(r"gen-([0-9]+)")
_SET_ASIDE = re.compile(r"gen-[0-9]+\.damaged-([0-9]+)")


class Generations:
    """The generations below one folder. All that changes something is called under the write lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, generation: int) -> Path:
        """The folder of a generation."""
        return self._folder / f"gen-{generation}"

    def current(self) -> int | None:
        """The generation in use, or None where there is none, or none that can be found."""
        try:
            named = (self._folder / POINTER).read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
        match = _FOLDER.fullmatch(named.strip())
        return int(match[1]) if match and self.path(int(match[1])).is_dir() else None

    def prepare(self, above: int) -> int:
        """Make the empty folder of the next generation, whose number is above every known one."""
        generation = max((above, *self._numbers())) + 1
        self.path(generation).mkdir(parents=True)
        return generation

    def publish(self, generation: int) -> None:
        """Name a generation as the one in use."""
        fresh = self._folder / f"{POINTER}.new"
        fresh.write_text(f"gen-{generation}\n", encoding="ascii")
        fresh.replace(self._folder / POINTER)

    def set_aside(self, generation: int, now: int) -> Path:
        """Move a damaged generation out of the way and give its new place."""
        return self.path(generation).rename(self._folder / f"gen-{generation}.damaged-{now}")

    def remove(self, generation: int) -> None:
        """Remove a generation that was never published."""
        shutil.rmtree(self.path(generation), ignore_errors=True)

    def clean(self, keep: int) -> None:
        """Remove every other generation, and of the damaged ones all but the newest."""
        for number in list(self._numbers()):
            if number != keep:
                self.remove(number)
        damaged = {int(match[1]): path for path in self._folder.iterdir() if (match := _SET_ASIDE.fullmatch(path.name))}
        for at in sorted(damaged)[:-1]:
            shutil.rmtree(damaged[at], ignore_errors=True)

    def _numbers(self) -> Iterator[int]:
        if self._folder.is_dir():
            yield from (int(match[1]) for path in self._folder.iterdir() if (match := _FOLDER.fullmatch(path.name)))
