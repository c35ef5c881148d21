"""The lines of the feed and of a snapshot that are not changes: how a stream begins, beats and ends.

A stream is JSON lines (`application/jsonl`). It begins with a header, goes on with changes
(`wire.changes`) and heartbeats, and says itself why it ends; a snapshot ends with the count of its
lines. What a reader does not know stops it: it might be what narrows a key.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from scopekey.core.change import MARK_SIZE, Change
from scopekey.wire.changes import UnreadableChangeError, decode_change

CONTENT_TYPE = "application/jsonl"
FORMAT = 1
CRITICAL: frozenset[str] = frozenset()
"""The critical extensions of the feed that this version understands: none was ever defined."""
HEARTBEAT = 1_000
"""Milliseconds between two heartbeats."""
STREAM_LIFE = 300_000
"""Milliseconds after which a stream ends and is begun anew: as long the two clocks of its ends may be compared."""
UNKNOWN_AGE = -1

_Mark = Annotated[str, Meta(pattern=rf"^(?:[0-9a-f]{{{2 * MARK_SIZE}}})?\Z")]
_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
FeedId = Annotated[str, Meta(pattern=r"^[0-9a-zA-Z]{1,64}\Z")]


class UnreadableFeedError(ValueError):
    """The stream is not what this version understands; nothing more of it may be applied."""


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", omit_defaults=True):
    """A line that is no change."""


class Header(_Line, frozen=True, tag="header"):
    """How a stream begins: whose history it is, where its sender stands, and what a reader must have.

    `peppers` are the ids of those that live keys were digested with, `prefix` and `environments` the form
    of printed keys; `journal` tells whether the follower's key may hand in decisions. `critical` names
    extensions without which the stream must not be read.
    """

    format: int
    feed_id: FeedId
    position: _Number
    mark: _Mark
    peppers: tuple[str, ...] = ()
    prefix: str = ""
    environments: tuple[str, ...] = ()
    journal: bool = True
    critical: tuple[str, ...] = ()


class Heartbeat(_Line, frozen=True, tag="heartbeat"):
    """Everything up to `position` has been sent.

    `elapsed` is the time since the stream began, by the sender's clock; `age` how far the sender itself
    may be behind, -1 where it does not know. Both in milliseconds.
    """

    position: _Number
    mark: _Mark
    elapsed: _Number
    age: Annotated[int, Meta(ge=UNKNOWN_AGE, le=2**53)] = 0


class Complete(_Line, frozen=True, tag="complete"):
    """How a snapshot ends: so many changes, or it was cut."""

    count: _Number


class End(_Line, frozen=True, tag="end"):
    """Why the sender ends the stream: a code, and words for people."""

    code: str
    detail: str = ""


Line = Header | Heartbeat | Complete | End | Change
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Header | Heartbeat | Complete | End)
_format = msgspec.json.Decoder(dict[str, msgspec.Raw])


def encode_line(line: Header | Heartbeat | Complete | End) -> bytes:
    """Write a line that is no change, with its newline."""
    return _encode(line) + b"\n"


def read_line(line: bytes) -> Line:
    """Read any line but a header. Raises UnreadableFeedError."""
    # A change begins with its position, as this version writes it; any other spelling is found out below.
    try:
        if line.startswith(b'{"position":'):
            return decode_change(line)
        read: Line = _decode.decode(line)
    except UnreadableChangeError as error:
        raise UnreadableFeedError(str(error)) from error
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _read_odd(line)
    if isinstance(read, Header):
        raise UnreadableFeedError("the feed begins a second time in the middle of its stream")
    return read


def _read_odd(line: bytes) -> Change:
    try:
        return decode_change(line)
    except UnreadableChangeError as error:
        raise UnreadableFeedError(str(error)) from error


def read_header(line: bytes) -> Header:
    """Read the first line. Raises UnreadableFeedError, which says where a newer version would be needed."""
    newer = _newer(line)
    if newer:
        raise UnreadableFeedError(newer)
    try:
        read = _decode.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableFeedError("what answers there is no change feed: its first line is no header") from error
    if isinstance(read, End):
        raise UnreadableFeedError(f"the feed was ended at once ({read.code}): {read.detail}")
    if not isinstance(read, Header):
        raise UnreadableFeedError("what answers there is no change feed: its first line is no header")
    return read


def _newer(line: bytes) -> str | None:
    """Say what this version lacks. Looked at before all else: a newer header may have members unknown here."""
    try:
        read = _format.decode(line)
        number = msgspec.json.decode(read.get("format", b"1"), type=int)
        critical = msgspec.json.decode(read.get("critical", b"[]"), type=Sequence[str])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if number != FORMAT:
        return f"the feed has the format {number}, this version reads format {FORMAT}: upgrade this node first"
    unknown = sorted(set(critical) - CRITICAL)
    if unknown:
        return f"the feed needs {', '.join(unknown)}, which this version does not know: upgrade this node first"
    return None


class ReachedPosition(msgspec.Struct, frozen=True):
    """What `Scopekey-Position` names: a position in the history of one feed."""

    feed_id: str
    position: int

    def __str__(self) -> str:
        return f"{self.feed_id}-{self.position}"


_DIGITS = 19


def read_position(text: str) -> ReachedPosition | None:
    """Read `<feed_id>-<n>`, or None for anything else."""
    feed_id, dash, number = text.strip().rpartition("-")
    if not dash or not feed_id or not number.isascii() or not number.isdigit() or len(number) > _DIGITS:
        return None
    return ReachedPosition(feed_id, int(number))
