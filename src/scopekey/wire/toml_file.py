"""Reading a TOML file of ours: typed fields, and every fault of the file at once, each with its line.

Knows nothing of catalogs and rules. A document of any content gives values or faults, never a traceback.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from scopekey.core.catalog import nearest
from scopekey.wire.toml_lines import Path, TomlLines

_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a file: where it stands, and in words what happened and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class FileError(ValueError):
    """The file cannot be used as it stands; `faults` lists everything wrong with it, in its order."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class TomlFile:
    """A parsed document that collects what is wrong with it. Raises FileError where it is no TOML at all."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self._faults: list[tuple[Path, str]] = []
        self.root: Table = Table(self, (), _parsed(self._text, file))

    def fault(self, path: Path, message: str) -> None:
        """Note a fault of what stands at this path."""
        self._faults.append((path, message))

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found wrong so far."""
        return not self._faults

    def check(self) -> None:
        """Raise FileError if any fault was noted."""
        if self._faults:
            lines = TomlLines(self._text)
            faults = dict.fromkeys(Fault(self._file, lines.line(*path), message) for path, message in self._faults)
            raise FileError(tuple(sorted(faults, key=lambda fault: fault.line)))


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise FileError((Fault(file, 1, "the file is nested too deeply; write it flat"),)) from None
    except ValueError as error:  # tomllib's own, and Python's for a number of thousands of digits
        found = _LINE.search(str(error))
        line = int(found[1]) if found else max(1, text.rstrip("\n").count("\n") + 1)
        said = _LINE.sub("", str(error))
        raise FileError((Fault(file, line, f"this is not TOML: {said}; correct the line"),)) from error


class Table:
    """One table of the document; each reader notes a fault where the value has another type, and gives None."""

    def __init__(self, file: TomlFile, path: Path, values: dict[str, Any]) -> None:
        self.file = file
        self.path = path
        self.values = values

    def fault(self, key: str, message: str) -> None:
        """Note a fault of one of the table's keys."""
        self.file.fault((*self.path, key), message)

    def known(self, *keys: str) -> None:
        """Note every key that is none of these, with the nearest one that is."""
        for key in self.values:
            if key not in keys:
                near = nearest(key, keys)
                hint = f"did you mean {near!r}?" if near else f"known here: {', '.join(keys)}"
                self.fault(key, f"there is no key {key!r} here; {hint}")

    def text(self, key: str) -> str | None:
        """Read a string."""
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        self._mistyped(key, value, 'a string, as in "name"')
        return None

    def required_text(self, key: str, example: str) -> str | None:
        """Read a string that must be there."""
        if key not in self.values:
            self.file.fault(self.path, f"`{key}` is missing; add {key} = {example}")
        return self.text(key)

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Read an array of strings."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self._mistyped(key, value, 'an array of strings, as in ["read", "write"]')
        return None

    def tables(self, key: str) -> Iterator["Table"]:
        """Read an array of tables."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self._mistyped(key, value, f"an array of tables: head each with [[{key}]]")
            return
        for at, item in enumerate(value):
            if isinstance(item, dict):
                yield Table(self.file, (*self.path, key, at), item)
            else:
                self.file.fault((*self.path, key, at), f"`{key}` holds {_kind(item)}; head each table with [[{key}]]")

    def table(self, key: str) -> "Table":
        """Read a table; an absent one is empty."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self._mistyped(key, value, "a table, as in {}")
            value = {}
        return Table(self.file, (*self.path, key), value)

    def _mistyped(self, key: str, value: object, wanted: str) -> None:
        self.fault(key, f"`{key}` is {_kind(value)}; write {wanted}")


_KINDS: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "a table",
}


def _kind(value: object) -> str:
    if isinstance(value, list) and any(not isinstance(item, str) for item in value):
        return "an array that holds other things than strings"
    return _KINDS.get(type(value), "a date or time")
