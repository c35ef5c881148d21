"""Whether two routes can both match one path, and whether the router and the rules then agree.

A router serves the first registered route that matches, the rules decide by the most specific one.
Where they differ, one operation would be decided and another served.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from scopekey.core import overlap
from scopekey.core.catalog import Catalog
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.overlap import Templates
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.core.template import Literal, Mixed, Parameter, Segment, Span, Template

_WHOLE = "[^/]+"
_NO_PERMISSIONS = Register.first(Catalog("overlap", ()))


class Shape(NamedTuple):
    """A route's template, and what its convertors accept where that is less than a whole segment."""

    template: Template
    narrow: dict[str, re.Pattern[str]]

    @classmethod
    def of(cls, template: Template, narrow: dict[str, re.Pattern[str]]) -> "Shape":
        """Make the shape of a template."""
        return cls(template, narrow)


class Earlier:
    """The shapes registered so far: most pairs of routes need no closer look."""

    def __init__(self) -> None:
        self._shapes: list[Shape] = []
        self._templates = Templates()

    def add(self, shape: Shape) -> None:
        """Register a shape; its number is how many were registered before."""
        self._shapes.append(shape)
        self._templates.add(shape.template)

    def rivals(self, shape: Shape) -> Iterator[tuple[int, Shape]]:
        """Every earlier shape that might meet this one, with its number."""
        for number in self._templates.rivals(shape.template):
            yield number, self._shapes[number]


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
    met = overlap.meet(first.template, second.template)
    if met is None:
        return None
    declined = other_declined = falls_through = False
    for one, other, shared in zip(*met.aligned, met.path, strict=True):
        declined = declined or (isinstance(other, Literal) and _declines(one, shared, first.narrow))
        other_declined = other_declined or (isinstance(one, Literal) and _declines(other, shared, second.narrow))
        falls_through = falls_through or (
            _is_narrow(one, first.narrow)
            and (isinstance(one, Span) or not isinstance(other, Literal))
            and not _alike(one, first.narrow, other, second.narrow)
        )
    return Meeting(met.path, (declined, other_declined), falls_through)


def _declines(segment: Segment, text: str, narrow: dict[str, re.Pattern[str]]) -> bool:
    if isinstance(segment, Mixed):
        parts = [_WHOLE if name not in narrow else narrow[name].pattern for name in segment.names]
        ends = [re.escape(literal) for literal in segment.literals]
        pattern = ends[0] + "".join(f"(?:{part}){end}" for part, end in zip(parts, ends[1:], strict=True))
        return not re.fullmatch(pattern, text)
    if not isinstance(segment, Parameter):
        return False
    declines = narrow.get(segment.name)
    return declines is not None and not declines.fullmatch(text)


def _is_narrow(segment: Segment, narrow: dict[str, re.Pattern[str]]) -> bool:
    if isinstance(segment, Mixed):
        return any(name in narrow for name in segment.names)
    return isinstance(segment, Parameter | Span) and segment.name in narrow


def _alike(
    one: Segment, narrow: dict[str, re.Pattern[str]], other: Segment, other_narrow: dict[str, re.Pattern[str]]
) -> bool:
    """Tell whether two parameters accept the same, so that neither is left with what the other declines."""
    return (
        isinstance(one, Parameter)
        and isinstance(other, Parameter)
        and narrow.get(one.name) == other_narrow.get(other.name)
    )
