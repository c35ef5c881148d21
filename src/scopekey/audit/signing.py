"""The log's signing key: Ed25519 (RFC 8032), made once by ``init``."""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def public_key(seed: bytes) -> bytes:
    """The 32 raw bytes of the public key that belongs to a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def signing_key_id(seed: bytes) -> str:
    """16 hexadecimal digits that name a signing key without revealing it: the start of SHA-256 of its public key."""
    return sha256(public_key(seed)).hexdigest()[:16]
