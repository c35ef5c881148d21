"""One path of every kind that templates tell apart: what is decided on these is decided everywhere.

Two paths are of one kind if the same templates match both. A kind is found as the most ordinary path
of one template, or of templates that all cross each other: a wider template matches it as well.
"""

from collections.abc import Iterator, Sequence

from scopekey.core.overlap import Templates, meet, meetings, sample_for
from scopekey.core.template import Template

# Far above what tables hold: only a table made for it has this many templates that cross in all ways.
_MOST = 20_000


class TooManyKindsError(ValueError):
    """So many templates cross each other that not every kind of path can be looked at."""


def crossing(templates: Sequence[Template]) -> list[set[int]]:
    """List for each template the numbers of those that cross it: both match some path, neither covers the other."""
    index = Templates()
    crossed: list[set[int]] = []
    for number, template in enumerate(templates):
        mine = {rival for rival in index.rivals(template) if _cross(template, templates[rival])}
        index.add(template)
        crossed.append(mine)
        for rival in mine:
            crossed[rival].add(number)
    return crossed


def _cross(one: Template, other: Template) -> bool:
    return meet(one, other) is not None and not one.covers(other) and not other.covers(one)


def paths(templates: Sequence[Template]) -> Iterator[tuple[str, ...]]:
    """Give a path of every kind, each once. The templates must differ in shape. Raises TooManyKindsError."""
    crossed = crossing(templates)
    sample = sample_for(templates)
    longest = max((len(template.segments) for template in templates), default=0) + 1
    seen: set[tuple[str, ...]] = set()
    # All of them before the first is looked at: a table with too many is refused at once.
    for members in tuple(_cliques(crossed)):
        for meeting in meetings(*(templates[member] for member in members), sample=sample, longest=longest):
            if meeting.path not in seen:
                seen.add(meeting.path)
                yield meeting.path


def _cliques(crossed: Sequence[set[int]]) -> Iterator[tuple[int, ...]]:
    """Every set of templates that all cross each other, those of one first."""
    waiting: list[tuple[tuple[int, ...], set[int]]] = [
        ((number,), {rival for rival in rivals if rival > number}) for number, rivals in enumerate(crossed)
    ]
    for count, (members, candidates) in enumerate(waiting):
        if count == _MOST:
            raise TooManyKindsError("too many templates cross each other to look at every path: make them disjoint")
        yield members
        waiting += [
            ((*members, number), {other for other in candidates & crossed[number] if other > number})
            for number in sorted(candidates)
        ]
