"""Programs that run rounds when they are told to, so that they can be interleaved with our own in one run.

While one runs a round all others wait. Passing the word takes 0.1 ms or less, nothing beside a round.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.measure import Round

ROOT = Path(__file__).resolve().parents[1]
_ENDS_WITHIN = 10


class CompanionError(RuntimeError):
    """The program did not start or did not answer; says what it said last."""


class Companion:
    """A Python module, run with `-m`, that talks as `bench.rounds` does. `about` is what it said of itself."""

    def __init__(self, *command: str, **environment: str) -> None:
        self._name = command[command.index("-m") + 1]
        self._said = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed with the companion
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        try:
            self.about: Mapping[str, str] = self._answer()
        except BaseException:
            self.close()
            raise

    def round(self, name: str) -> Round:
        """A round of it, to be interleaved with others."""

        def round_() -> int:
            return int(self.ask(name)["calls"])

        return round_

    def ask(self, line: str) -> Any:
        """Say a line to it, and give its answer. Raises CompanionError where there is none."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise CompanionError(self._ended()) from None
        return self._answer()

    def close(self) -> None:
        """Let it end, by the end of its input or, where that is not enough, by its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise CompanionError(self._ended())
        return json.loads(line)

    def _ended(self) -> str:
        self._process.wait(_ENDS_WITHIN)
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
        return f"{self._name} ended with {self._process.returncode}, its last words: {last}"
