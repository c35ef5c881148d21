"""Writes the generated docs, or with `--check` says where they are out of date.

A generator is a function that returns `{path: text}`, paths relative to the root of the repository; it is listed in
GENERATORS. What they write is read off the code and files that are kept with it, and is the same on every machine.
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tools import (
    docs_cli,
    docs_http,
    docs_metrics,
    docs_openapi,
    docs_performance,
    docs_permissions,
    docs_problems,
    docs_python,
    docs_settings,
    docs_typescript,
)

ROOT = Path(__file__).resolve().parent.parent

Pages = Mapping[str, str]
Generator = Callable[[], Pages]

GENERATORS: tuple[Generator, ...] = (
    docs_settings.pages,
    docs_cli.pages,
    docs_problems.pages,
    docs_http.pages,
    docs_permissions.pages,
    docs_python.pages,
    docs_metrics.pages,
    docs_performance.pages,
    docs_openapi.pages,
    docs_typescript.pages,
)


def generated() -> dict[str, str]:
    """All pages of all generators. Two generators may not write one path: the later would hide the earlier."""
    pages: dict[str, str] = {}
    for generator in GENERATORS:
        for path, text in generator().items():
            if path in pages:
                raise ValueError(f"two generators write {path}; the second is {generator.__module__}")
            pages[path] = text
    return pages


def difference(path: str, text: str, root: Path = ROOT) -> str:
    """What is on disk against what would be generated, as a unified diff; empty when they agree."""
    file = root / path
    present = file.read_text(encoding="utf-8") if file.exists() else ""
    lines = difflib.unified_diff(
        present.splitlines(keepends=True), text.splitlines(keepends=True), f"{path} (now)", f"{path} (generated)"
    )
    # A page that is not there is a difference, even from an empty text.
    return "".join(lines) or ("" if file.exists() else f"{path} is missing\n")


def check(pages: Pages, root: Path = ROOT) -> int:
    """Print every difference; 1 if there is any."""
    differences = [found for path, text in sorted(pages.items()) if (found := difference(path, text, root))]
    for found in differences:
        print(found)
    if differences:
        print(f"{len(differences)} generated pages are out of date: run `make docs`", file=sys.stderr)
    return 1 if differences else 0


def write(pages: Pages, root: Path = ROOT) -> int:
    """Write every page that differs."""
    for path, text in sorted(pages.items()):
        if difference(path, text, root):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 0


def main() -> int:
    """Run the generators, then compare or write."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description="Generated docs.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is out of date")
    arguments = parser.parse_args()
    return (check if arguments.check else write)(generated())


if __name__ == "__main__":
    sys.exit(main())
