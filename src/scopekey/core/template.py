"""A path template, ``/datasets/{dataset_id}/sample``, as segments that can be compared.

``{name}`` is one segment or a part of one (``subscription_id={id}``, ``${id}``, ``{a}.{b}``);
``{name*}`` spans one or more segments. Case matters, and so does a trailing slash.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from urllib.parse import unquote

import msgspec

from scopekey.core.target import fault_of

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)(\*?)\}")

_BRACED = re.compile(r"\{[^{}]*\}")


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
        """Split a segment into the parameters' values, each as long as possible from the left; None if it does not fit.

        So do the routers behind, whose expressions are greedy.
        """
        begin, end = len(self.literals[0]), len(segment) - len(self.literals[-1])
        if end <= begin or not segment.startswith(self.literals[0]) or not segment.endswith(self.literals[-1]):
            return None
        values = []
        for literal in self.literals[-2:0:-1]:
            at = segment.rfind(literal, begin, end - 1)
            if at <= begin:
                return None
            values.append(segment[at + len(literal) : end])
            end = at
        return (segment[begin:end], *reversed(values))


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
Shape = tuple[tuple[str, ...], ...]


class Template(msgspec.Struct, frozen=True):
    """A path template; `text` is how it was written."""

    text: str
    segments: tuple[Segment, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Read a template. Raises InvalidTemplateError."""
        if not text.startswith("/"):
            raise InvalidTemplateError(f"the path {text!r} must begin with a slash; write it without scheme and host")
        if "?" in text or "#" in text:
            raise InvalidTemplateError(
                f"the path {text!r} holds a query or a fragment; leave it out, for rules decide on the path alone"
            )
        if text != text.rstrip():
            raise InvalidTemplateError(f"the path {text!r} ends with a space; remove it, or write %20 if it is meant")
        parts = text[1:].split("/")
        segments = tuple(_segment(part, text, last=at == len(parts) - 1) for at, part in enumerate(parts))
        if sum(isinstance(segment, Span) for segment in segments) > 1:
            raise InvalidTemplateError(f"the path {text!r} has two parameters that span segments; keep one of them")
        return cls(text, segments)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(match[1] for match in _PARAMETER.finditer(self.text))

    @property
    def shape(self) -> Shape:
        """What the template is but for the names of its parameters: equal where it matches the same paths."""
        return tuple(_shape(segment) for segment in self.segments)

    def covers(self, other: "Template") -> bool:
        """Tell whether every path that the other template matches is matched by this one."""
        return all(_covers(self.segments, plain) for plain in _spelled_out(other.segments, len(self.segments)))


def _segment(part: str, text: str, *, last: bool) -> Segment:
    span = _PARAMETER.fullmatch(part)
    if span:
        return Span(span[1]) if span[2] else Parameter(span[1])
    pieces = _PARAMETER.split(part)
    literals, names, stars = pieces[0::3], pieces[1::3], pieces[2::3]
    _refuse_stray_braces(part, literals, text)
    if any(stars):
        raise InvalidTemplateError(
            f"the path {text!r}: a parameter that spans segments must be a segment of its own; set slashes around it"
        )
    if "" in literals[1:-1]:
        raise InvalidTemplateError(
            f"the path {text!r} has two parameters with nothing between them; make them one, or say what parts them"
        )
    try:
        decoded = tuple(unquote(literal, errors="strict") for literal in literals)
    except UnicodeDecodeError as error:
        raise InvalidTemplateError(
            f"the path {text!r} has an escape that does not decode to UTF-8; write the character"
        ) from error
    why = fault_of(_ORDINARY.join(decoded), last=last)
    if why:
        raise InvalidTemplateError(f"no readable request can match the path {text!r}: {why}; leave that out")
    return Mixed(decoded, tuple(names)) if names else Literal(decoded[0])


def _refuse_stray_braces(part: str, literals: list[str], text: str) -> None:
    """Say which brace is alone, or which text between braces is no name."""
    if not any("{" in literal or "}" in literal for literal in literals):
        return
    misnamed = next((found[0] for found in _BRACED.finditer(part) if not _PARAMETER.fullmatch(found[0])), None)
    if misnamed:
        raise InvalidTemplateError(
            f"the path {text!r}: {misnamed!r} is no parameter; write {{name}}, or {{name*}} to span segments; a name "
            "is a letter or `_`, then letters, digits, `_`, `.`, `-`"
        )
    raise InvalidTemplateError(
        f"the path {text!r} has an unclosed brace in {part!r}; write {{name}}, or %7B and %7D where braces are meant"
    )


# Stands for a parameter's value where the rest of a segment is looked at; no hexadecimal digit.
_ORDINARY = "x"


def _shape(segment: Segment) -> tuple[str, ...]:
    if isinstance(segment, Literal):
        return ("literal", segment.text)
    if isinstance(segment, Mixed):
        return ("mixed", *segment.literals)
    return ("parameter",) if isinstance(segment, Parameter) else ("span",)


Plain = Literal | Mixed | Parameter


def _spelled_out(segments: tuple[Segment, ...], longest: int) -> Iterator[tuple[Plain, ...]]:
    """Write a span as one segment, as two, and so on: past `longest` nothing new can be learnt."""
    before = tuple(segment for segment in takewhile(_is_plain, segments) if not isinstance(segment, Span))
    if len(before) == len(segments):
        yield before
        return
    after = tuple(segment for segment in segments[len(before) + 1 :] if not isinstance(segment, Span))
    for length in range(max(longest, 1)):
        some = (Parameter(""),) * length
        yield (*before, *some, Parameter(""), *after)
        if not after:
            yield (*before, *some, Literal(""))


def _is_plain(segment: Segment) -> bool:
    return not isinstance(segment, Span)


def _covers(outer: tuple[Segment, ...], inner: tuple[Plain, ...]) -> bool:
    if not outer or not inner:
        return not outer and not inner
    if isinstance(outer[0], Span):
        return any(_covers(outer[1:], inner[taken:]) for taken in range(1, len(inner) + 1))
    return _segment_covers(outer[0], inner[0]) and _covers(outer[1:], inner[1:])


# A character no readable target holds: a mixed segment written with it stands for all its values.
_ANY = "\x00"


def _segment_covers(outer: Plain, inner: Plain) -> bool:
    if isinstance(inner, Literal):
        return outer.accepts(inner.text)
    if isinstance(outer, Parameter):
        return True
    if isinstance(outer, Literal) or isinstance(inner, Parameter):
        return False
    return outer.accepts(_ANY.join(inner.literals))
