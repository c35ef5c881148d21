"""Text that callers write: names, lines, SQL. Nothing that a log, a header or DuckDB would read otherwise."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

LAYOUT = "\n\r\t"


def _name(text: str) -> str:
    """One line of printable text that begins and ends with something visible."""
    if text != text.strip() or not text.isprintable():
        raise ValueError("a name is one line of printable characters, without blanks around it")
    return unicodedata.normalize("NFC", text)


def _line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" and character not in LAYOUT for character in text):
        raise ValueError("control characters are not allowed")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_name)]
Line = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_line)]
Sql = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_line)]


def same_name(name: str) -> str:
    """What two names have in common when DuckDB would take one for the other: it ignores case."""
    return unicodedata.normalize("NFC", name.casefold())


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
