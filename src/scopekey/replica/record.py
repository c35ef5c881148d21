"""One key as the bytes the index keeps, read on every check, and the seal that every row of the index has.

The first byte is the format. ``COMPACT`` holds the ordinary key in a fixed form that is read in one
go; ``FULL`` holds any key. A format that is not known here is refused, never guessed at: an older
version must not misread what a newer one wrote. The last four bytes are the seal.
"""

from functools import lru_cache
from struct import Struct, error
from typing import Any
from zlib import crc32

import msgspec

from scopekey.core.digest import DIGEST_SIZE
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.network import parse_network

# 1 and 2 were these forms without a seal.
COMPACT = 3
FULL = 4

# format, version, secret's number, grant, created, expires (or _NEVER), digest; little-endian, no padding
_FIXED = Struct("<BHHQqq32s")
# scheme, pepper, organization without `org_`, length of the environment; then the environment
_OWNER = Struct("<B4s12sB")
_NEVER = -1
_SIZE = _FIXED.size
_SEAL = 4
# The CRC-32 of any bytes that end in their own CRC-32, the lowest byte first.
_INTACT = 0x2144DF1C

_Owner = tuple[int, PepperId, OrganizationId, str]
_owners: dict[bytes, _Owner] = {}
_MOST_OWNERS = 65_536


class UnreadableRecordError(ValueError):
    """The bytes are no record this version can read; the key they stand for must be refused."""


class DamagedRecordError(UnreadableRecordError):
    """The bytes are not those that were written here: disk, memory or file system changed them."""


class _Secret(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    digest: bytes
    pepper: str
    number: int
    until: int | None
    scheme: int


class _Full(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    organization: str
    environment: str
    secrets: tuple[_Secret, ...]
    grant: bytes
    created: int
    expires: int | None
    networks: tuple[str, ...]
    revoked: int | None
    probation: bytes
    probation_ends: int | None
    extensions: tuple[str, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Full).decode
# A key names a network as text and few networks are named: reading one takes longer than a whole check.
_network = lru_cache(maxsize=65_536)(parse_network)


def seal(name: bytes, value: bytes) -> bytes:
    """Add the CRC-32 of a row's name and its value: four bytes, the lowest first."""
    return value + crc32(name + value).to_bytes(_SEAL, "little")


def unseal(name: bytes, sealed: bytes) -> bytes:
    """Give the value of a row as it was written. Raises DamagedRecordError."""
    if crc32(name + sealed) != _INTACT:
        raise DamagedRecordError(f"the row {name.decode('ascii', 'replace')} does not fit its checksum")
    return sealed[:-_SEAL]


def name_of(key_id: KeyId) -> bytes:
    """The name under which a key's record is kept: its id without `key_`."""
    return key_id[4:].encode()


def pack(key: Key) -> bytes:
    """Write a key as its record, sealed; its id is not in it."""
    value = _pack_compact(key) if _is_ordinary(key) else bytes((FULL,)) + _encode(_full(key))
    return seal(name_of(key.id), value)


def unpack(
    key_id: KeyId,
    name: bytes,
    record: bytes,
    # Locals are found faster than globals, and this runs for every check.
    *,
    _read: Any = _FIXED.unpack_from,
    _known: Any = _owners.get,
) -> Key:
    """Read the sealed record of a key, which was found under its `name_of`. Raises UnreadableRecordError."""
    if crc32(record, crc32(name)) != _INTACT:
        raise DamagedRecordError(f"the record of {key_id} does not fit its checksum")
    if record[0] != COMPACT:
        return _unpack_full(key_id, record[:-_SEAL])
    try:
        _, version, number, grant, created, expires, digest = _read(record)
        owner = record[_SIZE:-_SEAL]
        scheme, pepper, organization, environment = _known(owner) or _owner(owner)
    except error as fault:
        raise UnreadableRecordError(f"the record of {key_id} is cut short") from fault
    return Key(
        key_id,
        version,
        organization,
        environment,
        (Secret(digest, pepper, number, None, scheme),),
        grant,
        created,
        None if expires == _NEVER else expires,
    )


def _is_ordinary(key: Key) -> bool:
    """Tell whether the fixed form can hold it: one secret, and nothing unusual or out of bounds."""
    return (
        len(key.secrets) == 1
        and key.secrets[0].until is None
        and len(key.secrets[0].digest) == DIGEST_SIZE
        and not (key.networks or key.probation or key.extensions)
        and key.revoked is None
        and key.probation_ends is None
        and max(key.version, key.secrets[0].number) < 1 << 16
        and key.grant < 1 << 64
        and (key.expires is None or key.expires >= 0)
    )


def _pack_compact(key: Key) -> bytes:
    (secret,) = key.secrets
    expires = _NEVER if key.expires is None else key.expires
    fixed = _FIXED.pack(COMPACT, key.version, secret.number, key.grant, key.created, expires, secret.digest)
    organization = key.organization.removeprefix("org_").encode("ascii")
    environment = key.environment.encode("ascii")
    owner = _OWNER.pack(secret.scheme, bytes.fromhex(secret.pepper), organization, len(environment))
    return fixed + owner + environment


def _owner(packed: bytes) -> _Owner:
    """Read what many keys have in common; kept, so that it is read once."""
    scheme, pepper, organization, length = _OWNER.unpack_from(packed)
    environment = packed[_OWNER.size :]
    if len(environment) != length:
        raise UnreadableRecordError("a record has another length than it says")
    owner = scheme, PepperId(pepper.hex()), OrganizationId("org_" + organization.decode("ascii")), environment.decode()
    if len(_owners) >= _MOST_OWNERS:
        _owners.clear()
    _owners[packed] = owner
    return owner


def _full(key: Key) -> _Full:
    return _Full(
        key.version,
        key.organization,
        key.environment,
        tuple(_Secret(s.digest, s.pepper, s.number, s.until, s.scheme) for s in key.secrets),
        _mask(key.grant),
        key.created,
        key.expires,
        tuple(map(str, key.networks)),
        key.revoked,
        _mask(key.probation),
        key.probation_ends,
        key.extensions,
    )


def _mask(mask: int) -> bytes:
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def _unpack_full(key_id: KeyId, record: bytes) -> Key:
    if record[:1] != bytes((FULL,)):
        raise UnreadableRecordError(f"the record of {key_id} has the unknown format {record[:1].hex() or 'nothing'}")
    try:
        full = _decode(record[1:])
        networks = tuple(map(_network, full.networks))
    except (msgspec.MsgspecError, ValueError) as fault:
        raise UnreadableRecordError(f"the record of {key_id} is damaged: {fault}") from fault
    return Key(
        key_id,
        full.version,
        OrganizationId(full.organization),
        full.environment,
        tuple(Secret(s.digest, PepperId(s.pepper), s.number, s.until, s.scheme) for s in full.secrets),
        int.from_bytes(full.grant, "little"),
        full.created,
        full.expires,
        networks,
        full.revoked,
        int.from_bytes(full.probation, "little"),
        full.probation_ends,
        full.extensions,
    )
