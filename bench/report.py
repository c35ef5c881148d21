"""Prints the results as tables, and writes them for the documentation."""

import os
import platform
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.measure import Result


def machine() -> Result:
    """On what it was measured: figures move from machine to machine, ratios hold."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    note = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, load {load:.1f} at the start"
    return Result("machine", cores, "cores", 1, note)


def show(results: Iterable[Result]) -> None:
    """Print one table for each part."""
    console = Console()
    for part, group in groupby(results, key=lambda result: result.name.partition(".")[0]):
        table = Table(title=part, title_justify="left", expand=False)
        for heading in ("name", "value", "unit", "n", "note"):
            table.add_column(heading, justify="right" if heading in {"value", "n"} else "left", overflow="fold")
        for result in group:
            table.add_row(result.name, f"{result.value:,}", result.unit, f"{result.n:,}", result.note)
        console.print(table)


def write(results: list[Result], path: Path) -> None:
    """Write the results as JSON: a list of name, value, unit, n and note."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
