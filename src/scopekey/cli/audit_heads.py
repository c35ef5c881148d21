"""Checkpoints that were kept elsewhere, as files: lines of JSON, or notes one after the other."""

from pathlib import Path

import msgspec

from scopekey.cli.acting import CannotActError

_SIGNED_BY = "— "


class _Line(msgspec.Struct):
    checkpoint: str


def read_heads(file: Path) -> list[str]:
    """The notes of a file. A last line that a crash cut off is left out. Raises CannotActError, OSError."""
    text = file.read_text("utf-8", errors="replace")
    heads = _of_lines(text, file) if text.lstrip().startswith("{") else _of_notes(text)
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


def _of_notes(text: str) -> list[str]:
    """A note ends with the lines of its signatures; what follows them is the next one."""
    notes: list[list[str]] = [[]]
    for line in text.split("\n"):
        if notes[-1] and notes[-1][-1].startswith(_SIGNED_BY) and not line.startswith(_SIGNED_BY):
            notes.append([])
        if line or notes[-1]:
            notes[-1].append(line)
    return ["\n".join(note) + "\n" for note in notes if any(note)]
