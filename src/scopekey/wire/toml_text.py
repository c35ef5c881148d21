"""Writing TOML for people: strings, arrays and comments, always in the same way."""

import re
from collections.abc import Iterable, Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def string(text: str) -> str:
    """Write a basic string (TOML 1.0, "String")."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _CONTROL.sub(lambda match: _SHORT.get(match[0], f"\\u{ord(match[0]):04X}"), escaped) + '"'


def array(items: Iterable[str]) -> str:
    """Write strings as an array on one line."""
    return "[" + ", ".join(string(item) for item in items) + "]"


def key(text: str) -> str:
    """Write a key, quoted where it must be."""
    return text if _BARE_KEY.fullmatch(text) else string(text)


def inline_table(values: Mapping[str, str]) -> str:
    """Write a table on one line; the values are written already."""
    return "{" + ", ".join(f"{key(name)} = {value}" for name, value in values.items()) + "}"


def comment(text: str) -> list[str]:
    """Write a comment, one line for each of the text. A comment cannot hold control characters: they become spaces."""
    return [f"# {_CONTROL.sub(' ', line)}".rstrip() for line in text.splitlines()]
