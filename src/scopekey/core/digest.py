"""The keyed digest under which a printed key is stored: BLAKE2b-256, keyed with the pepper (RFC 7693).

No password hash: the secret is 256 random bits, which nobody guesses, and a slow hash would only be
a way to stall the service.
"""

from hashlib import blake2b

from scopekey.core.ids import PepperId

DIGEST_SIZE = 32
PEPPER_SIZE = 32
SCHEME = 1
"""The number of this way of digesting, kept beside every digest so that another can follow it."""


class Pepper:
    """The deployment's key for digests: 32 random bytes that stand outside the database."""

    __slots__ = ("_keyed", "id")

    id: PepperId

    def __init__(self, secret: bytes) -> None:
        if len(secret) != PEPPER_SIZE:
            raise ValueError(f"a pepper is exactly {PEPPER_SIZE} bytes")
        # Keying costs a compression round: do it once and copy the state for each digest.
        self._keyed = blake2b(key=secret, digest_size=DIGEST_SIZE)
        self.id = PepperId(blake2b(b"scopekey pepper id", key=secret, digest_size=4).hexdigest())

    def digest(self, printed: str) -> bytes:
        """Digest a whole printed key, prefix and checksum included: 32 bytes."""
        state = self._keyed.copy()
        state.update(printed.encode())
        return state.digest()

    def __repr__(self) -> str:
        return f"Pepper({self.id})"
