"""Signed notes (C2SP signed-note): a text, a blank line, and one line for each signature.

Ours are signed with Ed25519 (RFC 8032). Signatures by others, of any kind, may stand beside ours.
"""

import binascii
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from scopekey.audit.signing import public_key

MAX_SIGNATURES = 64
"""The most signatures of a note that is read; a reader must take at least 16."""
MAX_SIZE = 64 * 1024
"""The most characters of a note that is read."""
_ED25519 = b"\x01"
_KEY_SIZE, _ID_SIZE = 32, 4
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ValueError):
    """A note cannot be read, or nobody that is known has signed it; says why."""


class VerifierKey(msgspec.Struct, frozen=True):
    """Whose signature is looked for: a name, the four bytes of the key's id, and its 32 public bytes."""

    name: str
    key_id: bytes
    public_key: bytes

    @classmethod
    def of(cls, name: str, public: bytes) -> Self:
        """The key of this name. Raises ValueError for a name that no key has."""
        if not _NAME.fullmatch(name):
            raise ValueError("the name of a log is not empty, and holds neither a space nor a +")
        return cls(name, sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_SIZE], public)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name+id+key`, as `str` writes it. Raises ValueError."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            decoded = b64decode(encoded, validate=True)
            key = cls.of(name, decoded[1:])
        except (ValueError, binascii.Error):
            raise ValueError("a public key is `name+id+key`, as `scopekey audit public-key` prints it") from None
        if decoded[:1] != _ED25519 or len(key.public_key) != _KEY_SIZE:
            raise ValueError("the public key is none of Ed25519")
        if key.key_id.hex() != key_id:
            raise ValueError("the id of the public key is another key's: it was changed, or not copied whole")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public_key).decode()}"

    def is_signature(self, signature: bytes, text: str) -> bool:
        """Tell whether this key has signed the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def verifier_key(name: str, seed: bytes) -> VerifierKey:
    """What notes that are signed with a 32-byte seed are verified with."""
    return VerifierKey.of(name, public_key(seed))


def sign_note(text: str, name: str, seed: bytes) -> str:
    """Sign a text, which ends with a newline; gives the whole note. Raises ValueError."""
    _check_text(text)
    key = verifier_key(name, seed)
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return f"{text}\n— {name} {b64encode(key.key_id + signature).decode()}\n"


def open_note(note: str, *keys: VerifierKey) -> str:
    """Give the text that at least one of these keys has signed.

    Signatures of unknown keys are passed over; one of a known key that does not hold makes the whole note false.
    Raises NoteError.
    """
    if len(note) > MAX_SIZE:
        raise NoteError("the note is too long to be one of a log")
    text, found, lines = note.rpartition("\n\n")
    text += "\n"
    if not found or not lines.endswith("\n"):
        raise NoteError("a signed note is a text, an empty line, and lines with signatures")
    try:
        _check_text(text)
    except ValueError as error:
        raise NoteError(str(error)) from None
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    known = {(key.name, key.key_id): key for key in keys}
    signed = False
    for line in signatures:
        name, key_id, signature = _read_signature(line)
        key = known.get((name, key_id))
        if key is None:
            continue
        if not key.is_signature(signature, text):
            raise NoteError(f"the signature of {key.name} does not belong to this text: one of the two was changed")
        signed = True
    if not signed:
        raise NoteError("nobody has signed the note whose public key is known here")
    return text


def _read_signature(line: str) -> tuple[str, bytes, bytes]:
    mark, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        decoded = b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        decoded = b""
    if mark != "—" or not _NAME.fullmatch(name) or len(decoded) <= _ID_SIZE:
        raise NoteError("a line with a signature is a dash (U+2014), a name, and the signature in base64")
    return name, decoded[:_ID_SIZE], decoded[_ID_SIZE:]


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("the text of a note ends with a newline, and holds no other control character")
