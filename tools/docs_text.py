"""What generated pages have in common: the note at their head, and tables."""

from collections.abc import Iterable, Sequence


def page(title: str, source: str, *parts: str) -> str:
    """A whole page: its title, the note that it is generated and from where, its parts a line apart."""
    note = f"<!-- Written by `make docs` from {source}; change it there. -->"
    return "\n\n".join((f"# {title}", note, *(part.strip("\n") for part in parts if part))) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; nothing at all where it has no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join((_row(columns), _row(["---"] * len(columns)), *lines)) if lines else ""


def code(text: str) -> str:
    """A code span, also of a text that holds backticks."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split()).replace("``", "`")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
