"""Checkpoints that were kept elsewhere, as files: lines of JSON, or notes one after the other."""

from pathlib import Path

import msgspec

from scopekey.audit.note import split_notes
from scopekey.cli.acting import CannotActError


class _Line(msgspec.Struct):
    checkpoint: str


def read_heads(file: Path) -> list[str]:
    """The notes of a file. A last line that a crash cut off is left out. Raises CannotActError, OSError."""
    text = file.read_text("utf-8", errors="replace")
    heads = _of_lines(text, file) if text.lstrip().startswith("{") else list(split_notes(text))
    if not heads:
        raise CannotActError(f"{file} holds no checkpoint: give a file of LOG_HEADS, or a signed note")
    return heads


def _of_lines(text: str, file: Path) -> list[str]:
    heads = []
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            heads.append(msgspec.json.decode(line, type=_Line).checkpoint)
        except msgspec.MsgspecError:
            raise CannotActError(f"{file}: line {number} is no checkpoint that was kept") from None
    return heads
