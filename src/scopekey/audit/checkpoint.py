"""A checkpoint (C2SP tlog-checkpoint): the size of the log and the root of its tree, as a signed note."""

import binascii
import re
from base64 import b64decode, b64encode

import msgspec

from scopekey.audit.merkle import HASH_SIZE
from scopekey.audit.note import NoteError, VerifierKey, open_note, sign_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES = 3


class CheckpointError(ValueError):
    """This is no checkpoint of the log; says why."""


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log says of itself: `origin` is its name, `root` 32 bytes."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, seed: bytes) -> str:
    """Write a checkpoint as a note signed with a 32-byte seed, under the log's own name."""
    return sign_note(checkpoint.text, checkpoint.origin, seed)


def read_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Read a checkpoint that this key has signed, of the log of the key's name. Raises CheckpointError."""
    try:
        checkpoint = parse_checkpoint(open_note(note, key))
    except NoteError as error:
        raise CheckpointError(str(error)) from None
    if checkpoint.origin != key.name:
        raise CheckpointError(f"the checkpoint is of another log than {key.name}")
    return checkpoint


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, whoever signed it, passing over lines after the third. Raises CheckpointError."""
    lines = text.split("\n")
    if len(lines) <= _LINES or lines[-1] or not all(lines[:-1]):
        raise CheckpointError("a checkpoint has three lines at least: the log's name, its size, its root")
    try:
        root = b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error):
        root = b""
    if not _SIZE.fullmatch(lines[1]) or len(root) != HASH_SIZE or b64encode(root).decode() != lines[2]:
        raise CheckpointError("the size of a checkpoint is a whole number, its root 32 bytes in base64")
    return Checkpoint(lines[0], int(lines[1]), root)
