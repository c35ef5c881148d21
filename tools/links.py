"""Checks every link of the Markdown pages: the file is there, the anchor is on it. Other people's pages are not asked.

Prints `file:line: what is wrong` for each, and fails if there is any.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.markdown import Link, anchors, links

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("*.md", "docs/**/*.md", "examples/*.md", "spec/**/*.md")

EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
HOST = re.compile(
    r"^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$|^\[[0-9a-f:]+\]$", re.IGNORECASE
)
LINES = re.compile(r"^L(\d+)(?:-L(\d+))?$")


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """The anchors of a page, read once."""
    return frozenset(anchors(page.read_text(encoding="utf-8")))


def external(target: str) -> str | None:
    """What is wrong with the shape of an address elsewhere, if anything."""
    parts = urlsplit(target)
    if parts.scheme == "mailto":
        return None if re.fullmatch(r"[^@\s]+@[^@\s]+", parts.path) else "not a mail address"
    if parts.scheme not in {"http", "https"}:
        return f"a link of the kind {parts.scheme}: leads nowhere from a page"
    return None if HOST.match(parts.hostname or "") else "no host in it"


def fragment(file: Path, name: str) -> str | None:
    """What is wrong with `#name` on this file: an anchor of a page, or a line of any other text."""
    if file.is_dir():
        return "a folder has no anchors"
    if file.suffix == ".md":
        return None if unquote(name) in anchors_of(file) else f"no heading or anchor #{name} there"
    lines = LINES.match(name)
    if lines is None:
        return f"#{name} is not a line (#L7, #L7-L9)"
    last = max(int(number) for number in lines.groups() if number)
    return None if last <= len(file.read_text(encoding="utf-8").splitlines()) else f"it has no line {last}"


def relative(page: Path, target: str, root: Path) -> str | None:
    """What is wrong with a link inside the repository, if anything."""
    path, _, name = target.partition("#")
    path = unquote(path.partition("?")[0])
    if path.startswith("/"):
        return "begins with /, which is another place on every host"
    file = (page.parent / path).resolve() if path else page
    if not file.is_relative_to(root):
        return "leads out of the repository"
    if not file.exists():
        return "no such file"
    return fragment(file, name) if name else None


def problem(page: Path, target: str, root: Path = ROOT) -> str | None:
    """What is wrong with one link of a page, if anything."""
    if not target:
        return "an empty link"
    if target.startswith("//"):
        return "no scheme in it"
    return external(target) if EXTERNAL.match(target) else relative(page, target, root)


def problems(page: Path, root: Path = ROOT) -> Iterator[str]:
    """Everything wrong on one page, as `file:line: …`."""
    found, undefined = links(page.read_text(encoding="utf-8"))
    wrong = [(link, what) for link in found if (what := problem(page, link.target, root))]
    wrong += [(Link(link.line, f"[{link.target}]"), "is defined nowhere on the page") for link in undefined]
    for link, what in sorted(wrong, key=lambda pair: pair[0].line):
        yield f"{page.relative_to(root)}:{link.line}: {link.target}: {what}"


def pages(root: Path = ROOT) -> list[Path]:
    """The pages that are checked."""
    return sorted({page for pattern in PAGES for page in root.glob(pattern)})


def main() -> int:
    """Check all pages; 1 if anything is wrong."""
    wrong = [line for page in pages() for line in problems(page)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
