"""Runs a checked statement in a process of its own, and ends that process at the time limit or when asked to."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scopekey.demo.limits import Limits

_PROGRAM = str(Path(__file__).with_name("query_process.py"))
_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement answered with."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a statement has no result. `detail` may quote the data; `code` never does."""

    code: str
    detail: str


class QueryRun:
    """One run, which another thread may stop, before it began too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self.stopped: bool = False

    def stop(self) -> None:
        """End the run now."""
        with self._lock:
            self.stopped = True
            if self._process:
                self._process.kill()

    def execute(self, sql: str, tables: dict[str, str], limits: Limits) -> Result | Failure:
        """The result of `sql` over the Parquet files in `tables`, by name; returns when the process has ended."""
        question = {
            "sql": sql,
            "tables": tables,
            "rows": limits.result_rows,
            "bytes": limits.result_bytes,
            "megabytes": limits.query_megabytes,
            "seconds": limits.query_seconds,
        }
        process = self._start()
        with process:
            try:
                output, _ = process.communicate(json.dumps(question), timeout=limits.query_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return Failure("time_limit", f"The query was stopped after {limits.query_seconds:g} s.")
        return Failure("cancelled", "The job was cancelled.") if self.stopped else _outcome(output, limits)

    def _start(self) -> subprocess.Popen[str]:
        with self._lock:
            # -I and an empty environment: the process gets no setting and no secret of ours, and imports from
            # nowhere but the interpreter's own packages.
            self._process = subprocess.Popen(  # noqa: S603 (our interpreter, our script)
                [sys.executable, "-I", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                encoding="utf-8",
            )
            if self.stopped:
                self._process.kill()
            return self._process


def _outcome(output: str, limits: Limits) -> Result | Failure:
    memory = Failure("memory_limit", f"The query needed more than {limits.query_megabytes} MB of memory.")
    try:
        answer = json.loads(output)
    except ValueError:
        # The process ended without a word: the operating system refused it memory, or DuckDB failed.
        return memory
    if "error" not in answer:
        return Result(answer["columns"], answer["rows"], answer["truncated"])
    return memory if answer["error"] == "memory_limit" else Failure(answer["error"], answer["detail"][:_SHOWN])
