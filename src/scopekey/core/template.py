"""A path template, ``/datasets/{dataset_id}/sample``, as segments that can be compared.

``{name}`` is one segment or a part of one (``subscription_id={id}``, ``${id}``, ``{a}.{b}``);
``{name*}`` spans one or more segments. Case matters, and so does a trailing slash.
"""

import re
from urllib.parse import unquote

import msgspec

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)(\*?)\}")


class InvalidTemplateError(ValueError):
    """The text is not a path template; says where and why."""


class Literal(msgspec.Struct, frozen=True, gc=False):
    """A segment that is exactly this text."""

    text: str

    def accepts(self, segment: str) -> bool:
        """Tell whether a segment is this one."""
        return segment == self.text


class Mixed(msgspec.Struct, frozen=True):
    """A segment of literal parts with parameters of one or more characters between them."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def accepts(self, segment: str) -> bool:
        """Tell whether a segment fits."""
        return self.values(segment) is not None

    def values(self, segment: str) -> tuple[str, ...] | None:
        """Split a segment into the parameters' values, each as short as possible; None if it does not fit."""
        if not segment.startswith(self.literals[0]):
            return None
        at, values = len(self.literals[0]), []
        for literal in self.literals[1:-1]:
            end = segment.find(literal, at + 1)
            if end < 0:
                return None
            values.append(segment[at:end])
            at = end + len(literal)
        end = len(segment) - len(self.literals[-1])
        if end <= at or not segment.endswith(self.literals[-1]):
            return None
        return (*values, segment[at:end])


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """A whole segment, whatever it is, but not empty."""

    name: str

    def accepts(self, segment: str) -> bool:
        """Tell whether a segment fits."""
        return segment != ""


class Span(msgspec.Struct, frozen=True, gc=False):
    """One or more segments; the last one may be empty where it ends the path."""

    name: str


Segment = Literal | Mixed | Parameter | Span


class Template(msgspec.Struct, frozen=True):
    """A path template; `text` is how it was written."""

    text: str
    segments: tuple[Segment, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Read a template. Raises InvalidTemplateError."""
        if not text.startswith("/"):
            raise InvalidTemplateError(f"the path {text!r} must begin with a slash")
        if "?" in text or "#" in text:
            raise InvalidTemplateError(f"the path {text!r} holds a query or a fragment: rules decide on the path alone")
        parts = text[1:].split("/")
        segments = tuple(_segment(part, text, last=at == len(parts) - 1) for at, part in enumerate(parts))
        if sum(isinstance(segment, Span) for segment in segments) > 1:
            raise InvalidTemplateError(f"the path {text!r} has two parameters that span segments; one is allowed")
        return cls(text, segments)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(match[1] for match in _PARAMETER.finditer(self.text))

    def covers(self, other: "Template") -> bool:
        """Tell whether every path that the other template matches is matched by this one."""
        return _covers(self.segments, other.segments)


def _segment(part: str, text: str, *, last: bool) -> Segment:
    if part == "" and not last:
        raise InvalidTemplateError(f"the path {text!r} has an empty segment; no readable request can match it")
    span = _PARAMETER.fullmatch(part)
    if span:
        return Span(span[1]) if span[2] else Parameter(span[1])
    pieces = _PARAMETER.split(part)
    literals, names, stars = pieces[0::3], pieces[1::3], pieces[2::3]
    if any("{" in literal or "}" in literal for literal in literals):
        raise InvalidTemplateError(f"the path {text!r} has an unclosed brace or a parameter without a proper name")
    if any(stars):
        raise InvalidTemplateError(f"the path {text!r}: a parameter that spans segments must be a segment of its own")
    if "" in literals[1:-1]:
        raise InvalidTemplateError(f"the path {text!r} has two parameters with nothing between them")
    decoded = tuple(unquote(literal, errors="strict") for literal in literals)
    if not names:
        if decoded[0] in {".", ".."} or "/" in decoded[0]:
            raise InvalidTemplateError(f"the path {text!r} has a segment that no readable request can match")
        return Literal(decoded[0])
    return Mixed(decoded, tuple(names))


def _covers(outer: tuple[Segment, ...], inner: tuple[Segment, ...]) -> bool:
    if not outer or not inner:
        return not outer and not inner
    if isinstance(outer[0], Span):
        return any(_covers(outer[1:], inner[taken:]) for taken in range(1, len(inner) + 1))
    if isinstance(inner[0], Span):
        return False
    return _segment_covers(outer[0], inner[0]) and _covers(outer[1:], inner[1:])


# A character no readable target holds: a mixed segment written with it stands for all its values.
_ANY = "\x00"


def _segment_covers(outer: Literal | Mixed | Parameter, inner: Literal | Mixed | Parameter) -> bool:
    if isinstance(inner, Literal):
        return outer.accepts(inner.text)
    if isinstance(outer, Parameter):
        return True
    if isinstance(outer, Literal) or isinstance(inner, Parameter):
        return False
    return outer.accepts(_ANY.join(inner.literals))
