"""The change feed as bytes: one JSON line for each change, the whole present state of one thing.

A kind or a field this version does not know stops the reader with an error instead of being
skipped: it might be what narrows a key. Times are milliseconds since the epoch, masks hexadecimal
text (they may have more than 64 bits), digests base64, networks CIDR text.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scopekey.core.catalog import Catalog
from scopekey.core.change import MARK_SIZE, Change, State
from scopekey.core.digest import SCHEME
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.network import parse_network
from scopekey.core.organization import Organization
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules

Kind = Literal["key", "organization", "catalog", "rules"]
"""What a change is about: a kind names the shape of its body."""

_KeyIdText = Annotated[KeyId, Meta(pattern=r"^key_[0-9A-Za-z]{12}\Z")]
_OrganizationIdText = Annotated[OrganizationId, Meta(pattern=r"^org_[0-9A-Za-z]{12}\Z")]
_Mask = Annotated[str, Meta(pattern=r"^[0-9a-f]{1,4096}\Z")]


class UnreadableChangeError(ValueError):
    """The bytes are no change this version understands; nothing of them may be applied."""


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a body: what it does not name, it does not accept."""


class _Secret(_Body, frozen=True, gc=False):
    digest: bytes
    pepper: PepperId
    number: int = 1
    until: int | None = None
    scheme: int = SCHEME


class _Key(_Body, frozen=True):
    id: _KeyIdText
    version: int
    organization: _OrganizationIdText
    environment: str
    secrets: tuple[_Secret, ...]
    grant: _Mask
    created: int
    expires: int | None = None
    networks: tuple[str, ...] = ()
    revoked: int | None = None
    probation: _Mask = "0"
    probation_ends: int | None = None
    extensions: tuple[str, ...] = ()


class _Policy(_Body, frozen=True):
    max_key_age: int | None
    never_expires: bool


class _Organization(_Body, frozen=True):
    id: _OrganizationIdText
    name: str
    operator: bool
    suspended: bool
    policy: _Policy
    version: int


class _Resource(_Body, frozen=True):
    name: str
    title: str
    group: str
    levels: tuple[str, ...]
    covers: str


class _Preset(_Body, frozen=True):
    name: str
    title: str
    permissions: tuple[str, ...]


class _Catalog(_Body, frozen=True):
    name: str
    resources: tuple[_Resource, ...]
    presets: tuple[_Preset, ...]
    levels: tuple[str, ...]
    observes: tuple[str, ...]
    implies: dict[str, tuple[str, ...]]
    own: dict[str, str]


class _Register(_Body, frozen=True):
    catalog: _Catalog
    bits: dict[str, Annotated[int, Meta(ge=0)]]
    next_bit: int
    retired: tuple[str, ...] = ()


class _Rule(_Body, frozen=True):
    operation: str
    # No default: an alternative that got lost must not make an operation public, which is what null says.
    any_of: tuple[tuple[str, ...], ...] | None
    object: str | None = None
    mode: Mode = Mode.ENFORCE


class _Rules(_Body, frozen=True):
    rules: tuple[_Rule, ...]
    cors_preflight: bool


class _Line(_Body, frozen=True):
    position: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    mark: Annotated[str, Meta(pattern=rf"^[0-9a-f]{{{2 * MARK_SIZE}}}\Z")]
    kind: str
    body: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_line = msgspec.json.Decoder(_Line)
_key = msgspec.json.Decoder(_Key)
_organization = msgspec.json.Decoder(_Organization)
_register = msgspec.json.Decoder(_Register)
_rules = msgspec.json.Decoder(_Rules)

_KINDS: dict[type, Kind] = {Key: "key", Organization: "organization", Register: "catalog", Rules: "rules"}


def kind_of(state: State) -> Kind:
    """Name the kind of a state. A `catalog` is the whole register: the catalog with its bits."""
    return _KINDS[type(state)]


def encode_change(change: Change) -> bytes:
    """Write a change as one JSON line, without the newline."""
    kind = kind_of(change.state)
    head = f'{{"position":{change.position},"mark":"{change.mark.hex()}","kind":"{kind}","body":'
    return head.encode() + encode_state(change.state) + b"}"


def decode_change(line: bytes) -> Change:
    """Read a line of the feed. Raises UnreadableChangeError."""
    try:
        read = _line.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableChangeError(f"a line of the change feed cannot be read: {error}") from error
    return Change(read.position, bytes.fromhex(read.mark), decode_state(read.kind, bytes(read.body)))


def encode_state(state: State) -> bytes:
    """Write the body of a change: the same state always gives the same bytes."""
    if isinstance(state, Key):
        return _encode(_key_body(state))
    if isinstance(state, Rules):
        return _encode(_Rules(tuple(_rule_body(rule) for rule in state.rules), state.cors_preflight))
    if isinstance(state, Register):
        # A register also keeps what follows from these four.
        written = {"catalog": state.catalog, "bits": state.bits, "next_bit": state.next_bit, "retired": state.retired}
        return _encode(written)
    return _encode(state)


def decode_state(kind: str, data: bytes) -> State:
    """Read the body of a change of a kind. Raises UnreadableChangeError, for an unknown kind too."""
    read = _READERS.get(kind)
    if read is None:
        raise UnreadableChangeError(f"the change feed holds the unknown kind {kind!r}: upgrade before following it on")
    try:
        return read(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableChangeError(f"a change of kind {kind!r} cannot be read: {error}") from error


def catalog_digest(catalog: Catalog) -> str:
    """The SHA-256 of a catalog's meaning, in hexadecimal: equal digests, equal catalogs."""
    return hashlib.sha256(_encode_sorted(catalog)).hexdigest()


def rules_digest(rules: Rules) -> str:
    """The SHA-256 of a table's meaning, in hexadecimal. The order of its rules means nothing."""
    table = sorted((_rule_body(rule) for rule in rules.rules), key=lambda rule: rule.operation)
    return hashlib.sha256(_encode_sorted(_Rules(tuple(table), rules.cors_preflight))).hexdigest()


def _key_body(key: Key) -> _Key:
    return _Key(
        key.id,
        key.version,
        key.organization,
        key.environment,
        tuple(_Secret(s.digest, s.pepper, s.number, s.until, s.scheme) for s in key.secrets),
        f"{key.grant:x}",
        key.created,
        key.expires,
        tuple(map(str, key.networks)),
        key.revoked,
        f"{key.probation:x}",
        key.probation_ends,
        key.extensions,
    )


def _read_key(data: bytes) -> Key:
    body = _key.decode(data)
    return Key(
        body.id,
        body.version,
        body.organization,
        body.environment,
        tuple(Secret(s.digest, s.pepper, s.number, s.until, s.scheme) for s in body.secrets),
        int(body.grant, 16),
        body.created,
        body.expires,
        tuple(map(parse_network, body.networks)),
        body.revoked,
        int(body.probation, 16),
        body.probation_ends,
        body.extensions,
    )


def _read_organization(data: bytes) -> Organization:
    return msgspec.convert(_organization.decode(data), Organization, from_attributes=True)


def _read_register(data: bytes) -> Register:
    body = _register.decode(data)
    catalog = msgspec.convert(body.catalog, Catalog, from_attributes=True)
    bits = body.bits.values()
    if body.bits.keys() != catalog.permissions.keys() or len(set(bits)) != len(bits) or max(bits) >= body.next_bit:
        raise UnreadableChangeError("its bits are not one for each permission of its catalog")
    return Register(catalog, body.bits, body.next_bit, body.retired)


def _rule_body(rule: Rule) -> _Rule:
    wanted = rule.requirement
    any_of = None if wanted is None else tuple(tuple(map(str, alternative)) for alternative in wanted.any_of)
    return _Rule(str(rule.operation), any_of, rule.object, rule.mode)


def _read_rules(data: bytes) -> Rules:
    body = _rules.decode(data)
    return Rules(tuple(map(_read_rule, body.rules)), body.cors_preflight)


def _read_rule(body: _Rule) -> Rule:
    requirement = None
    if body.any_of is not None:
        requirement = Requirement(tuple(tuple(map(Permission.parse, alternative)) for alternative in body.any_of))
    return Rule(Operation.parse(body.operation), requirement, body.object, body.mode)


_READERS: dict[str, Callable[[bytes], State]] = {
    "key": _read_key,
    "organization": _read_organization,
    "catalog": _read_register,
    "rules": _read_rules,
}
