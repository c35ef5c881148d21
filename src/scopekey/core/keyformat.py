"""The printed key: ``<prefix>_<environment>_<id><secret><checksum>``.

Underscores stand only between the parts, so that a double click selects the whole key. The form is
a promise to keys already issued: it never changes, only new forms may be added.
"""

import re
import zlib
from dataclasses import dataclass, field

import msgspec

from scopekey.core.ids import ID_LENGTH, KeyId, base62, is_key_id

SECRET_LENGTH = 43
SECRET_RANDOM = 32
"""Random bytes that make a secret."""
CHECKSUM_LENGTH = 6
BODY_LENGTH = ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH
PREFIX = re.compile(r"[a-z0-9]{2,12}")
ENVIRONMENT = re.compile(r"[a-z0-9]{2,16}")
_OF_ANYBODY = re.compile(
    rf"({PREFIX.pattern}_{ENVIRONMENT.pattern}_[0-9A-Za-z]{{{ID_LENGTH}}})[0-9A-Za-z]{{{BODY_LENGTH - ID_LENGTH}}}"
)


class PrintedKey(msgspec.Struct, frozen=True, gc=False):
    """A text with the shape of a key. It says nothing about whether the key exists."""

    text: str
    environment: str
    key_id: KeyId


@dataclass(frozen=True, slots=True)
class KeyFormat:
    """The form of one deployment's keys: its prefix and the environments it knows."""

    prefix: str = "sck"
    environments: tuple[str, ...] = ("live", "test")
    _heads: dict[str, str] = field(init=False, repr=False, compare=False)
    _printed: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not PREFIX.fullmatch(self.prefix):
            raise ValueError(f"the key prefix {self.prefix!r} must be 2 to 12 of a-z and 0-9")
        if not self.environments:
            raise ValueError("at least one environment is needed")
        for environment in self.environments:
            if not ENVIRONMENT.fullmatch(environment):
                raise ValueError(f"the environment {environment!r} must be 2 to 16 of a-z and 0-9")
        heads = {f"{self.prefix}_{environment}_": environment for environment in self.environments}
        object.__setattr__(self, "_heads", heads)
        # Of any length: a key that lost a character at its end is as good as whole to whoever guesses.
        printed = rf"(?:{'|'.join(heads)})([0-9A-Za-z]{{{ID_LENGTH}}})[0-9A-Za-z]+"
        object.__setattr__(self, "_printed", re.compile(printed))

    def id_of(self, text: str) -> KeyId | None:
        """Find the id in a printed key, or None for a wrong shape.

        The checksum is not computed: a look-up finds a typo just as well, and only a miss has to
        ask which it was (`is_intact`).
        """
        body = text[-BODY_LENGTH:]
        # Of bytes `isalnum` asks for ASCII alone, and is four times quicker.
        if text[:-BODY_LENGTH] not in self._heads or not body.isascii() or not body.encode().isalnum():
            return None
        # Calling KeyId costs a tenth of all this, and does nothing.
        return "key_" + body[:ID_LENGTH]  # type: ignore[return-value]

    def parse(self, text: str) -> PrintedKey | None:
        """Split a printed key into its parts, or None for a wrong shape."""
        key_id = self.id_of(text)
        return None if key_id is None else PrintedKey(text, self._heads[text[:-BODY_LENGTH]], key_id)

    def print(self, environment: str, key_id: KeyId, random: bytes) -> str:
        """Make a printed key from an id and 32 random bytes, which are its secret.

        Raises ValueError for another number of bytes, an unknown environment or what is no id.
        """
        if len(random) != SECRET_RANDOM:
            raise ValueError(f"a secret is made from exactly {SECRET_RANDOM} random bytes")
        if not is_key_id(key_id):
            raise ValueError(f"{key_id!r} is not the id of a key")
        if environment not in self.environments:
            raise ValueError(f"there is no environment {environment!r}")
        secret = base62(int.from_bytes(random, "big"), SECRET_LENGTH)
        payload = f"{self.prefix}_{environment}_{key_id.removeprefix('key_')}{secret}"
        return payload + checksum(payload)

    def without_secrets(self, text: str) -> str:
        """The text with the id of a key, which everybody may know, where a printed key stood: for what is recorded."""
        return self._printed.sub(r"key_\1", text) if self.prefix in text else text

    @property
    def pattern(self) -> str:
        """The regular expression for secret scanners that finds keys of this deployment."""
        return rf"\b{self.prefix}_(?:{'|'.join(self.environments)})_[0-9A-Za-z]{{{BODY_LENGTH}}}\b"


def mask_key(text: str) -> str:
    """How much of a key is shown: prefix, environment and id; of what is no key of any deployment `…` alone."""
    found = _OF_ANYBODY.fullmatch(text)
    return f"{found[1] if found else ''}…"


def checksum(payload: str) -> str:
    """Compute the CRC-32 of all that stands before it, as 6 base62 characters.

    For typos and scanners; it adds no security.
    """
    return base62(zlib.crc32(payload.encode()), CHECKSUM_LENGTH)


def is_intact(text: str) -> bool:
    """Tell whether a text ends in its own checksum: False is a typo."""
    payload, given = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return text.isascii() and checksum(payload) == given
