"""Where each key of a TOML document stands.

The standard library's reader says what a document means but not where: the people who are told of a
fault need its line. The text must already have been read as valid TOML 1.0.
"""

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
      (?P<skip>[ \t\r]+|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<text>\"{3}(?:[^\\]|\\.)*?\"{3,5}|'{3}.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')
    | (?P<mark>[\[\]{}=,.])
    | (?P<bare>[^\s\#"'\[\]{}=,.]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class TomlLines:
    """The line of every key, table and array element, by its path: `("rule", 2, "operation")`."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._tokens = list(_tokens(text))
        self._at = 0
        self._scan()

    def line(self, *path: str | int) -> int:
        """Give the line of a path, or of the nearest thing around it that the document writes down; from 1."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1] if self._at <= len(self._tokens) else ""

    def _next_line(self) -> int:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else 1

    def _skip_newlines(self) -> None:
        while self._peek() == "\n":
            self._at += 1

    def _scan(self) -> None:
        table: Path = ()
        self._skip_newlines()
        while self._peek():
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_newlines()

    def _header(self) -> Path:
        line = self._next_line()
        self._take()
        array = self._peek() == "["
        if array:
            self._take()
        keys = self._keys(())
        while self._peek() not in {"\n", ""}:
            self._take()
        path = (*self._element(keys[:-1]), keys[-1])
        if array:
            self._counts[path] = self._counts.get(path, -1) + 1
            path = (*path, self._counts[path])
        self._note(path, line)
        return path

    def _element(self, keys: Path) -> Path:
        """Point a header's keys into the last element of each array of tables on the way."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path])
        return path

    def _keys(self, path: Path) -> Path:
        path = (*path, _key(self._take()))
        while self._peek() == ".":
            self._take()
            path = (*path, _key(self._take()))
        return path

    def _pair(self, table: Path) -> None:
        line = self._next_line()
        path = self._keys(table)
        self._take()
        self._note(path, line)
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._peek() == "[":
            self._array(path)
        elif self._peek() == "{":
            self._inline_table(path)
        else:
            while self._peek() not in {"\n", ",", "]", "}", ""}:
                self._take()

    def _array(self, path: Path) -> None:
        self._take()
        for at in range(len(self._tokens)):
            self._skip_newlines()
            if self._peek() == "]":
                break
            self._note((*path, at), self._next_line())
            self._value((*path, at))
            self._skip_newlines()
            if self._peek() == ",":
                self._take()
        self._take()

    def _inline_table(self, path: Path) -> None:
        self._take()
        while self._peek() not in {"}", ""}:
            self._pair(path)
            if self._peek() == ",":
                self._take()
        self._take()

    def _note(self, path: Path, line: int) -> None:
        # A dotted key or header makes the tables around it, too: they stand where they are first written.
        for end in range(1, len(path) + 1):
            self._lines.setdefault(path[:end], line)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "skip":
            yield line, match.group()
        line += match.group().count("\n")


def _key(token: str) -> str:
    if token[:1] not in {'"', "'"}:
        return token
    key: str = tomllib.loads(f"key = {token}")["key"]
    return key
