"""Reads OpenAPI descriptions from files: JSON or YAML, within limits that hostile files cannot stretch."""

import json
from pathlib import Path
from typing import Any

import yaml

from scopekey.cli.acting import CannotActError

LARGEST = 32 * 1024 * 1024
"""Bytes of a description; the largest public ones have a third of that."""


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for more than any machine holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node. Raises yaml.YAMLError at an alias."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # so are its stubs
            raise yaml.MarkedYAMLError(problem="aliases are not read: write the value out", problem_mark=mark)
        return super().compose_node(parent, index)


def load_document(file: Path) -> dict[str, Any]:
    """Read a description; what is not JSON is read as YAML. Raises CannotActError naming the file and line."""
    if file.stat().st_size > LARGEST:
        raise CannotActError(f"{file} is larger than {LARGEST >> 20} MiB: split it, or leave out its examples")
    text = _text(file)
    try:
        loaded = json.loads(text)
    except RecursionError as error:
        raise CannotActError(f"{file} is nested too deeply to be an OpenAPI description") from error
    except ValueError as error:
        if text.lstrip()[:1] in {"{", "["}:
            raise CannotActError(f"{file} is not JSON: {error}") from error
        loaded = _yaml(file, text)
    if not isinstance(loaded, dict):
        raise CannotActError(f"{file} is not an OpenAPI description: it must be an object")
    return loaded


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotActError(f"{file} is not UTF-8 (byte {error.start})") from error


def _yaml(file: Path, text: str) -> Any:
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506 - a safe loader, less aliases
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CannotActError(f"{file}:{line}: this is not YAML that can be read: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CannotActError(f"{file} is not YAML that can be read: {type(error).__name__}") from error
