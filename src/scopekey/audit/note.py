"""Signed notes: a text, and who signed it (C2SP signed-note v1.0.0). Ed25519 only.

A note is the text, an empty line, and a line for each signature. Its text may hold empty lines itself.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from scopekey.audit.signing import public_key

MAX_SIGNATURES = 64
"""Notes with more are refused; every reader must take 16 at least."""

_ED25519 = b"\1"
_ID_SIZE = 4
_DASH = "— "  # U+2014 and a space begin the line of a signature
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
_ID = re.compile(r"[0-9a-f]{8}")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class NoteError(ValueError):
    """A note that is none, or is not signed by whom it should be."""


class VerifierKey(msgspec.Struct, frozen=True):
    """Whose signature counts: a name, the four bytes that stand for name and key, and the 32 of the Ed25519 key.

    Written ``name+hexadecimal id+base64``, which is safe to publish.
    """

    name: str
    key_id: bytes
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a key as it is published. Raises NoteError for anything else."""
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            key = read_base64(encoded)
        except ValueError:
            key = b""
        if not _NAME.fullmatch(name) or not _ID.fullmatch(key_id) or len(key) != 1 + 32 or key[:1] != _ED25519:
            raise NoteError(
                "no verifier key: one is NAME+ID+KEY, with 8 hexadecimal digits and base64 of an Ed25519 key"
            )
        named = _named(name, key[1:])
        if named.key_id.hex() != key_id:
            raise NoteError(f"the verifier key of {name} has the id {key_id}, which is not that of its name and key")
        return named

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public_key).decode()}"


def verifier_key(name: str, seed: bytes) -> VerifierKey:
    """The key that verifies what is signed under a name with a 32-byte seed. Raises NoteError for no name."""
    _expect_name(name)
    return _named(name, public_key(seed))


def sign_note(text: str, name: str, seed: bytes) -> str:
    """Sign a text, which ends in a newline, under a name. Raises NoteError for what no note can hold."""
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends in a newline")
    key = verifier_key(name, seed)
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(_bytes(text))
    return f"{text}\n{_DASH}{name} {b64encode(key.key_id + signature).decode()}\n"


def open_note(note: str, *keys: VerifierKey) -> str:
    """Verify a note, and give its text.

    Signatures by others are ignored. Raises NoteError where none is by one of the keys, or where
    one is and does not verify.
    """
    text, empty, lines = note.rpartition("\n\n")
    text += "\n"
    signed = _bytes(text)
    if not empty or not lines.endswith("\n") or _CONTROL.search(lines):
        raise NoteError("no signed note: there is no text, an empty line, and signatures")
    verified = False
    for name, key_id, signature in _signatures(lines):
        for key in keys:
            if (name, key_id) == (key.name, key.key_id):
                _verify(key, signature, signed)
                verified = True
    if not verified:
        raise NoteError(f"the note is not signed by {' or '.join(key.name for key in keys) or 'anybody known'}")
    return text


def split_notes(text: str) -> Iterator[str]:
    """Take notes apart that were appended one to another, as in a file of heads. Empty lines between them are dropped.

    What follows the last signature is given as it is: a note that was cut off, which `open_note` refuses.
    """
    lines: list[str] = []
    for line in _LINE.findall(text):
        if _ends(lines) and not line.startswith(_DASH):
            yield "".join(lines)
            lines = []
        if lines or line != "\n":
            lines.append(line)
    if lines:
        yield "".join(lines)


def read_base64(text: str) -> bytes:
    """Read base64 (RFC 4648 section 4), padded, in its one spelling. Raises ValueError for another."""
    read = b64decode(text, validate=True)
    if b64encode(read).decode() != text:
        raise ValueError("base64 in another spelling than its own")
    return read


def _signatures(lines: str) -> Iterator[tuple[str, bytes, bytes]]:
    each = lines.removesuffix("\n").split("\n")
    if len(each) > MAX_SIGNATURES:
        raise NoteError(f"the note has {len(each)} signatures; at most {MAX_SIGNATURES} are read")
    for line in each:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        try:
            decoded = read_base64(encoded)
        except ValueError:
            decoded = b""
        if not line.startswith(_DASH) or not _NAME.fullmatch(name) or len(decoded) <= _ID_SIZE:
            raise NoteError("no signed note: a line after the last empty one is no signature")
        yield name, decoded[:_ID_SIZE], decoded[_ID_SIZE:]


def _verify(key: VerifierKey, signature: bytes, signed: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, signed)
    except InvalidSignature:
        raise NoteError(
            f"the signature of {key.name} does not verify: the note was changed, or signed by another"
        ) from None


def _ends(lines: list[str]) -> bool:
    """Whether a note is complete with its last line: signatures, and nothing else, after an empty line."""
    for line in reversed(lines):
        if not line.startswith(_DASH):
            return line == "\n" and lines[-1] != "\n"
    return False


def _named(name: str, key: bytes) -> VerifierKey:
    return VerifierKey(name, sha256(name.encode() + b"\n" + _ED25519 + key).digest()[:_ID_SIZE], key)


def _expect_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise NoteError("the name of a key has at least one character, and neither spaces nor a plus")


def _bytes(text: str) -> bytes:
    try:
        if not _CONTROL.search(text):
            return text.encode()
    except UnicodeEncodeError:
        pass
    raise NoteError("a note holds text and newlines, and no other control characters")
