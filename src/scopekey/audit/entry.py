"""One entry of the audit log, and its canonical bytes.

The bytes are JSON in the canonical form of RFC 8785: members sorted by name, no white space, UTF-8,
whole numbers only, absent members left out. They are what will be hashed, so they never change for
an entry already written; a new member may be added where it is absent from old entries.
"""

from typing import Any, Literal

import msgspec

NONCE_SIZE = 16
MAX_ENTRY_SIZE = 65_535
"""The most bytes an entry may have: its length has two bytes in an entry bundle (C2SP tlog-tiles)."""

ActorKind = Literal["key", "person", "machine", "system"]


class Who(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acted: a key, a signed-in person, the machine of the home folder, or the system by a policy."""

    kind: ActorKind
    id: str
    organization: str | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One change or one decision, complete in itself.

    `at` is in milliseconds since the epoch; `nonce` is 32 hexadecimal digits of randomness, so that
    nobody can guess an entry from its hash; `position` is the feed's: of the change itself, or the
    one a decision was made at, on a replica that was at most `age` milliseconds behind. `node` is the
    machine that decided, where its verifier handed the decision up. `intended` says what kind of
    operation was meant: the level and the resource group of each permission it needs.
    """

    nonce: str
    at: int
    kind: Literal["change", "decision", "refusals", "reads", "gap"]
    v: int = 1
    node: str | None = None
    actor: Who | None = None
    organization: str | None = None
    key: str | None = None
    secret: int | None = None
    action: str | None = None
    operation: str | None = None
    object: str | None = None
    required: list[list[str]] | None = None
    held: list[str] | None = None
    used: list[str] | None = None
    missing: list[str] | None = None
    intended: list[list[str]] | None = None
    allowed: bool | None = None
    code: str | None = None
    report: bool | None = None
    stale: bool | None = None
    address: str | None = None
    request_id: str | None = None
    position: int | None = None
    age: int | None = None
    count: int | None = None
    first: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


MAX_NUMBER = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps exact (RFC 8785 section 3.2.2.3)."""

_SORTING = msgspec.json.Encoder(order="sorted")
_AS_IT_STANDS = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Entry)


def canonical(entry: Entry) -> bytes:
    """Write an entry as its canonical bytes.

    Raises ValueError where they are more than 65,535, and for what has no one spelling: a lone
    surrogate, a fraction, a number beyond 2**53 - 1, anything in `before` and `after` but JSON.
    """
    for number in (entry.at, entry.secret, entry.position, entry.age, entry.count, entry.first):
        if number is not None:
            _whole(number)
    if entry.before is None and entry.after is None:
        encoded = _SORTING.encode(entry)
    else:
        encoded = _AS_IT_STANDS.encode(_members(entry))
    if len(encoded) > MAX_ENTRY_SIZE:
        raise ValueError(f"an audit entry has {len(encoded)} bytes; at most {MAX_ENTRY_SIZE} can be logged")
    return encoded


def read_entry(encoded: bytes) -> Entry:
    """Read canonical bytes back. Raises msgspec.DecodeError for what is no entry."""
    return _DECODER.decode(encoded)


def _members(entry: Entry) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(entry, before=None, after=None))
    members |= {name: state for name in ("before", "after") if (state := getattr(entry, name)) is not None}
    ordered: dict[str, Any] = _ordered(members)
    return ordered


def _ordered(value: Any) -> Any:
    """Sort the members of objects at any depth; refuse what JSON has no one spelling for."""
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value, key=_by_utf16)}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    if value is None or isinstance(value, str | bool):
        return value
    return _whole(value)


def _by_utf16(name: Any) -> bytes:
    """The order of RFC 8785 section 3.2.3: by UTF-16 code units, which is not that of code points."""
    if not isinstance(name, str):
        raise ValueError(f"a member of an audit entry is named by a string, not by {type(name).__name__}")  # noqa: TRY004
    return name.encode("utf-16-be")


def _whole(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) > MAX_NUMBER:
        raise ValueError(f"an audit entry holds whole numbers up to {MAX_NUMBER}, and no {type(number).__name__}")
    return number
