"""A raw request target, read in the one way everybody reads it, or refused.

The server behind may decode, merge or resolve a path in its own way. A target that two servers could
read differently is therefore no question about a permission at all: it is refused (RFC 3986 section
6.2.2 says which spellings are one; the rest is refused).
"""

import re
from urllib.parse import quote, unquote_to_bytes

import msgspec

MAX_PATH_LENGTH = 8192

# Most targets are plain: unreserved and harmless characters, no empty inner segment, none that begins with a dot.
_PLAIN = re.compile(rb"(?:/(?!\.)[A-Za-z0-9_~.@:+=$,!*'()&-]++)++/?+|/")
# pchar of RFC 3986 section 3.3 without `;`, whose parameters some servers strip.
_ALLOWED = re.compile(rb"(?:[A-Za-z0-9_~.@:+=$,!*'()&/-]|%[0-9A-Fa-f]{2})*")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
# Nobody need escape these (RFC 3986 section 2.3); `~` is left out, which older encoders do escape.
_NEEDLESS_ESCAPE = re.compile(rb"%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|2[DdEe]|5[Ff])")
_DOUBLE_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Anything that `fault_of` names, in one look: a long path has thousands of segments.
_SUSPECT = re.compile(rf"^\.{{1,2}}$|[/\\;]|{_CONTROL.pattern}|{_DOUBLE_ESCAPE.pattern}")
_SAFE = "/~.@:+=$,!*'()&_-"


class Target(msgspec.Struct, frozen=True, gc=False):
    """A path as its decoded segments; a trailing slash is an empty last segment. The query is left out."""

    segments: tuple[str, ...]

    @property
    def path(self) -> str:
        """The canonical spelling of the path: what needs no escape has none, the others are in upper case."""
        return "/" + "/".join(map(escaped, self.segments))


class UnreadableTarget(msgspec.Struct, frozen=True):
    """The target has no reading or two; `why` says what is wrong with it, without repeating it."""

    why: str


def escaped(path: str | bytes) -> str:
    """Write a path, or a part of one, in its canonical spelling: everything is escaped that needs it, slashes stay."""
    return quote(path, safe=_SAFE)


def read_target(raw: bytes) -> Target | UnreadableTarget:
    """Read the path of a raw origin-form request target (RFC 9112 section 3.2.1).

    The bytes are those of the request line, before any decoding. The query is not looked at.
    """
    path = raw.partition(b"?")[0] if b"?" in raw else raw
    if len(path) <= MAX_PATH_LENGTH and _PLAIN.fullmatch(path):
        return Target(tuple(path[1:].decode("ascii").split("/")))
    return _read_unusual(raw, path)


def _read_unusual(raw: bytes, path: bytes) -> Target | UnreadableTarget:
    if len(path) > MAX_PATH_LENGTH:
        return UnreadableTarget(f"the path is longer than {MAX_PATH_LENGTH} bytes")
    if not raw:
        return UnreadableTarget("no target was told that is known to be the one that will be served")
    if not path.startswith(b"/"):
        return UnreadableTarget("the path does not begin with a slash")
    if not _ALLOWED.fullmatch(path):
        return UnreadableTarget(_stray(path))
    try:
        segments = tuple(_decode(segment) for segment in path[1:].split(b"/"))
    except UnicodeDecodeError:
        return UnreadableTarget("an escape does not decode to UTF-8")
    for at, segment in enumerate(segments):
        why = fault_of(segment, last=at == len(segments) - 1)
        if why:
            return UnreadableTarget(why)
    if _NEEDLESS_ESCAPE.search(path):
        return UnreadableTarget("the path escapes a letter, a digit, `-`, `.` or `_`, which some servers do not undo")
    return Target(segments)


def _decode(segment: bytes) -> str:
    return unquote_to_bytes(segment).decode("utf-8") if b"%" in segment else segment.decode("ascii")


def _stray(path: bytes) -> str:
    if b"%" in _ESCAPE.sub(b"", path):
        return "a percent sign is not followed by two hexadecimal digits"
    if b"\\" in path:
        return "the path holds a backslash, which some servers read as a slash"
    if b";" in path:
        return "the path holds a semicolon, whose parameters some servers strip"
    return "the path holds a character that must be percent-encoded"


def fault_of(segment: str, *, last: bool) -> str | None:
    """Say what makes one decoded segment ambiguous, or None; only the last one may be empty."""
    if segment and not _SUSPECT.search(segment):
        return None
    if segment == "":
        return None if last else "the path holds an empty segment, which some servers merge away"
    if segment in {".", ".."}:
        return "the path holds a dot segment"
    if "/" in segment or "\\" in segment:
        return "the path holds an encoded slash or backslash"
    if ";" in segment:
        return "the path holds an encoded semicolon, whose parameters some servers strip"
    if _CONTROL.search(segment):
        return "the path holds an encoded control character"
    if _DOUBLE_ESCAPE.search(segment):
        return "the path is percent-encoded twice"
    return None
