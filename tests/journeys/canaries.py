"""Secrets that are looked for wherever something is kept or told, in every spelling that a program could give them."""

import base64
from urllib.parse import quote

PIECE = 14
"""A third of a secret is enough to be found: at least so many bytes."""


def spellings(secret: bytes) -> dict[str, bytes]:
    """How a piece of a secret can stand somewhere, by the name of the spelling."""
    whole = {
        "plain": secret,
        "hex": secret.hex().encode(),
        "HEX": secret.hex().upper().encode(),
        "url": quote(secret, safe="").encode(),
        "url, every byte": b"".join(b"%%%02X" % byte for byte in secret),
        "url, lower case": b"".join(b"%%%02x" % byte for byte in secret),
    }
    for shift in range(3):
        # What stands before and after it in the same text changes the characters at the edges alone.
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            encoded = encode(bytes(shift) + secret + bytes(-(shift + len(secret)) % 3))
            begin, end = -(-shift * 8 // 6), (shift + len(secret)) * 8 // 6
            whole[f"{name} + {shift}"] = encoded[begin:end]
    return whole


class Canaries:
    """Secrets by their names, and the search for them."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}
        self._needles: dict[bytes, tuple[str, str]] = {}

    def add(self, name: str, secret: str | bytes) -> None:
        """Look for this one too: for each third of it."""
        whole = secret.encode() if isinstance(secret, str) else secret
        self.secrets[name] = whole
        size = max(PIECE, len(whole) // 3)
        for begin in range(0, len(whole) - size + 1, size):
            for spelling, needle in spellings(whole[begin : begin + size]).items():
                self._needles.setdefault(needle, (name, spelling))

    def add_key(self, name: str, printed: str) -> None:
        """Look for the secret of a printed key: what stands before it is its id, which everybody may know."""
        self.add(name, printed[-49:])

    def found_in(self, content: bytes) -> set[tuple[str, str]]:
        """Which secrets stand there, each with its spelling."""
        return {what for needle, what in self._needles.items() if needle in content}
