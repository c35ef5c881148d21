"""Whether two routes can both match one path, and whether the router and the rules then agree.

A router serves the first registered route that matches, the rules decide by the most specific one.
Where they differ, one operation would be decided and another served.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from scopekey.core.catalog import Catalog
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.core.template import Literal, Mixed, Parameter, Segment, Span, Template

_NO_PERMISSIONS = Register.first(Catalog("overlap", ()))
_SAMPLE = "x"


class Shape(NamedTuple):
    """A route's template, and what its convertors accept where that is less than a whole segment."""

    template: Template
    narrow: dict[str, re.Pattern[str]]
    spans: bool

    @classmethod
    def of(cls, template: Template, narrow: dict[str, re.Pattern[str]]) -> "Shape":
        """Make the shape of a template."""
        return cls(template, narrow, any(isinstance(segment, Span) for segment in template.segments))


class Earlier:
    """The shapes registered so far, sorted by their literals: most pairs of routes need no closer look."""

    def __init__(self) -> None:
        self._shapes: list[Shape] = []
        self._spanning = 0
        self._by_length: dict[int, int] = {}
        self._by_segment: dict[tuple[int, int, str | None], int] = {}

    def add(self, shape: Shape) -> None:
        """Register a shape; its number is how many were registered before."""
        bit = 1 << len(self._shapes)
        self._shapes.append(shape)
        if shape.spans:
            self._spanning |= bit
            return
        length = len(shape.template.segments)
        self._by_length[length] = self._by_length.get(length, 0) | bit
        for at, segment in enumerate(shape.template.segments):
            place = length, at, segment.text if isinstance(segment, Literal) else None
            self._by_segment[place] = self._by_segment.get(place, 0) | bit

    def rivals(self, shape: Shape) -> Iterator[tuple[int, Shape]]:
        """Every earlier shape that might meet this one, with its number."""
        mask = (1 << len(self._shapes)) - 1 if shape.spans else self._alike(shape.template.segments) | self._spanning
        while mask:
            number = (mask & -mask).bit_length() - 1
            yield number, self._shapes[number]
            mask &= mask - 1

    def _alike(self, segments: tuple[Segment, ...]) -> int:
        length = len(segments)
        mask = self._by_length.get(length, 0)
        for at, segment in enumerate(segments):
            if isinstance(segment, Literal):
                same = self._by_segment.get((length, at, segment.text), 0)
                mask &= same | self._by_segment.get((length, at, None), 0)
        return mask


class Meeting(NamedTuple):
    """A path that the templates of two routes match.

    `declined` tells for each whether its convertors decline the path after all; `falls_through`, whether
    those of the first can decline another such path.
    """

    path: tuple[str, ...]
    declined: tuple[bool, bool]
    falls_through: bool


def clash(method: str, first: Shape, second: Shape) -> str | None:
    """Say why the second of two routes, registered later, cannot be decided beside the first; None if it can."""
    meeting = meet(first, second)
    if meeting is None:
        return None
    declined, other_declined = meeting.declined
    if first.template.covers(second.template) and not declined:
        return "which matches all of its paths"
    pair = (Operation(method, first.template), Operation(method, second.template))
    match = Matcher(Rules(tuple(Rule(operation, None) for operation in pair)), _NO_PERMISSIONS).match(
        method, meeting.path
    )
    if declined and other_declined:
        return None
    # The rules know no convertors: they must choose the one that the router is left with.
    if match is None or match.operation != pair[declined]:
        return f"because the router and the rules choose differently on paths like /{'/'.join(meeting.path)}"
    if meeting.falls_through and not declined:
        return "whose convertors decline some paths that the rules take for its own"
    return None


def meet(first: Shape, second: Shape) -> Meeting | None:
    """Find a path that both routes match."""
    lengths = len(first.template.segments), len(second.template.segments)
    spans = first.spans or second.spans
    if not spans and lengths[0] != lengths[1]:
        return None
    # A path longer than both together adds nothing but more of the same inside a span.
    for length in range(max(lengths), sum(lengths) + 1) if spans else lengths[:1]:
        mine, theirs = (_stretched(shape.template.segments, length) for shape in (first, second))
        if mine and theirs:
            meeting = _aligned(mine, theirs, first.narrow, second.narrow)
            if meeting:
                return meeting
    return None


def _stretched(segments: tuple[Segment, ...], length: int) -> tuple[Segment, ...] | None:
    """The segments with their span repeated, so that there are this many; None where that cannot be."""
    if len(segments) == length:
        return segments
    for at, segment in enumerate(segments):
        if isinstance(segment, Span) and len(segments) < length:
            return segments[:at] + (segment,) * (length - len(segments) + 1) + segments[at + 1 :]
    return None


def _aligned(
    mine: tuple[Segment, ...],
    theirs: tuple[Segment, ...],
    narrow: dict[str, re.Pattern[str]],
    other_narrow: dict[str, re.Pattern[str]],
) -> Meeting | None:
    path: list[str] = []
    declined = other_declined = falls_through = False
    for one, other in zip(mine, theirs, strict=True):
        shared = _shared(one, other)
        if shared is None:
            return None
        path.append(shared)
        declined = declined or (isinstance(other, Literal) and _declines(one, shared, narrow))
        other_declined = other_declined or (isinstance(one, Literal) and _declines(other, shared, other_narrow))
        falls_through = falls_through or (_is_narrow(one, narrow) and not isinstance(other, Literal))
    return Meeting(tuple(path), (declined, other_declined), falls_through)


def _shared(one: Segment, other: Segment) -> str | None:
    """A text that both segments match, or None."""
    if isinstance(one, Literal):
        return one.text if isinstance(other, Span) or other.accepts(one.text) else None
    if isinstance(other, Literal):
        return _shared(other, one)
    if isinstance(one, Mixed) and isinstance(other, Mixed):
        candidates = (
            _mixed(start, middle, end)
            for start, middle, end in product(
                (one.literals[0], other.literals[0]), (one, other), (one.literals[-1], other.literals[-1])
            )
        )
        return next((text for text in candidates if one.accepts(text) and other.accepts(text)), None)
    chosen = one if isinstance(one, Mixed) else other
    return _SAMPLE.join(chosen.literals) if isinstance(chosen, Mixed) else _SAMPLE


def _mixed(start: str, middle: Mixed, end: str) -> str:
    return _SAMPLE.join((start, *middle.literals[1:-1], end))


def _declines(segment: Segment, text: str, narrow: dict[str, re.Pattern[str]]) -> bool:
    if not isinstance(segment, Parameter):
        return False
    pattern = narrow.get(segment.name)
    return pattern is not None and not pattern.fullmatch(text)


def _is_narrow(segment: Segment, narrow: dict[str, re.Pattern[str]]) -> bool:
    if isinstance(segment, Mixed):
        return any(name in narrow for name in segment.names)
    return isinstance(segment, Parameter) and segment.name in narrow
