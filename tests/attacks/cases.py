"""The cases of `spec/vectors/attacks.json` as bytes, and the platform they attack: its rules and its keys."""

from collections.abc import Mapping
from typing import Any

import msgspec

from scopekey.core.rules import Rules
from scopekey.testing import Keys
from tests.vectors.rows import rules_of, vectors

FILE = vectors("attacks.json")
PERMISSIONS = ("datasets:read", "datasets:write", "mine:read", "jobs:write", "admin:read", "admin:write")


class Case(msgspec.Struct, frozen=True):
    """One attack. `requests` is how many a reader can find in its bytes at most."""

    id: str
    group: str
    why: str
    row: dict[str, Any]
    requests: int = 1

    def sent(self, words: Mapping[str, str]) -> bytes:
        """The bytes of the case, with the placeholders filled in."""
        return sent(self.row, words)


CASES = tuple(Case(row["id"], row["class"], row["why"], row, row.get("requests", 1)) for row in FILE["cases"])
GROUPS: Mapping[str, str] = FILE["classes"]


def text_of(written: Any) -> str:
    """Text, or a list of texts and of `{"repeat": [unit, times]}`, in one piece."""
    if isinstance(written, list):
        return "".join(text_of(part) for part in written)
    if isinstance(written, dict):
        unit, times = written["repeat"]
        return str(unit) * int(times)
    return str(written)


def sent(row: Mapping[str, Any], words: Mapping[str, str]) -> bytes:
    """The bytes of a row: its `raw` text, else its parts joined as a client would."""
    if "raw" in row:
        text = text_of(row["raw"])
    else:
        key = row.get("key", "reader")
        credential = [f"Authorization: Bearer {{{key}}}"] if key else []
        method, target = text_of(row.get("method", "GET")), text_of(row.get("target", "/datasets/1"))
        first = f"{method} {target} {row.get('version', 'HTTP/1.1')}"
        lines = [*row.get("host", ["Host: {host}"]), *credential, *row.get("headers", ())]
        text = "\r\n".join([first, *map(text_of, lines), "", text_of(row.get("body", ""))])
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text.encode("latin-1")


class Platform:
    """The rules and keys of the file, the same in every process."""

    def __init__(self) -> None:
        self.keys = Keys(*PERMISSIONS)
        self.rules: Rules = rules_of(FILE["rules"], self.keys.register)
        self.keys.apply_rules(self.rules)
        self.printed = {
            name: self.keys.add(*written["permissions"], networks=written.get("networks", ()))
            for name, written in FILE["keys"].items()
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret part of every key: 43 characters before the six of the checksum."""
        return tuple(printed[-49:-6] for printed in self.printed.values())

    def words(self, host: str) -> dict[str, str]:
        """What the placeholders stand for."""
        ids = {f"{name}_id": str(self.keys.key(printed).id) for name, printed in self.printed.items()}
        return {"host": host} | self.printed | ids
