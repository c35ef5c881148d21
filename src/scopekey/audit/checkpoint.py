"""A checkpoint: how many entries the log has, and the root over them, signed (C2SP tlog-checkpoint v1.0.0)."""

import re
from base64 import b64encode

import msgspec

from scopekey.audit.merkle import HASH_SIZE
from scopekey.audit.note import NoteError, VerifierKey, open_note, read_base64, sign_note

MAX_SIZE = 2**63 - 1
"""The greatest number of entries that is read."""

_LINES = 3
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointError(ValueError):
    """A checkpoint that is none, or is not this log's."""


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log commits to: its origin, its size in entries, and the root over all of them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, seed: bytes) -> str:
    """Sign a checkpoint as a note, under its origin. Raises NoteError where that is no name for a key."""
    return sign_note(checkpoint.text, checkpoint.origin, seed)


def read_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Verify a signed checkpoint of the log whose key this is.

    Raises CheckpointError where the signature or the form is wrong, or the origin is another log's.
    """
    try:
        checkpoint = parse_checkpoint(open_note(note, key))
    except NoteError as error:
        raise CheckpointError(str(error)) from None
    if checkpoint.origin != key.name:
        raise CheckpointError(f"the checkpoint is of another log, not of {key.name}")
    return checkpoint


def unverified_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint whose signature does not matter here, or is looked at later. Raises CheckpointError."""
    return parse_checkpoint(note.rpartition("\n\n")[0] + "\n")


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, whoever signed it; lines after the third are others' and are left out.

    Raises CheckpointError for another text.
    """
    lines = text.split("\n")
    if len(lines) <= _LINES or lines.pop() or not all(lines):
        raise CheckpointError("a checkpoint has lines of text, each ended: its origin, the size, the root")
    origin, size, encoded = lines[:_LINES]
    try:
        root = read_base64(encoded)
    except ValueError:
        root = b""
    if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE or len(root) != HASH_SIZE:
        raise CheckpointError(
            f"a checkpoint has a size up to {MAX_SIZE} in its second line, and a root in base64 in its third"
        )
    return Checkpoint(origin, int(size), root)
