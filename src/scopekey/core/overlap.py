"""Where templates overlap: a path that all of them match, exactly, and an index of those that might.

Two templates overlap if and only if some readable path matches both; the path is given as the proof.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from scopekey.core.template import Literal, Mixed, Segment, Span, Template

SAMPLE = "x"
"""Stands in an example path for a parameter's value; no hexadecimal digit, which an escape could begin with."""
_SAMPLES = "xyzvwqkjmgnpt"
# Where a hostile table uses all of those letters there are thousands more.
_MORE_SAMPLES = range(0x4E00, 0x9FA5)


class Meeting(NamedTuple):
    """A path that some templates all match: its segments, and for each template what each of them fell on."""

    path: tuple[str, ...]
    aligned: tuple[tuple[Segment, ...], ...]


class Templates:
    """Templates by number, sorted by their literals: most pairs need no closer look."""

    def __init__(self) -> None:
        self._count = 0
        self._spanning = 0
        self._by_length: dict[int, int] = {}
        self._by_segment: dict[tuple[int, int, str | None], int] = {}

    def add(self, template: Template) -> int:
        """Add a template; its number is how many were added before."""
        number, bit = self._count, 1 << self._count
        self._count += 1
        if _spans(template):
            self._spanning |= bit
            return number
        length = len(template.segments)
        self._by_length[length] = self._by_length.get(length, 0) | bit
        for at, segment in enumerate(template.segments):
            place = length, at, segment.text if isinstance(segment, Literal) else None
            self._by_segment[place] = self._by_segment.get(place, 0) | bit
        return number

    def rivals(self, template: Template) -> Iterator[int]:
        """The numbers of those added so far that might match a path which this one matches."""
        mask = (1 << self._count) - 1 if _spans(template) else self._alike(template.segments) | self._spanning
        while mask:
            yield (mask & -mask).bit_length() - 1
            mask &= mask - 1

    def _alike(self, segments: tuple[Segment, ...]) -> int:
        length = len(segments)
        mask = self._by_length.get(length, 0)
        for at, segment in enumerate(segments):
            if isinstance(segment, Literal):
                same = self._by_segment.get((length, at, segment.text), 0)
                mask &= same | self._by_segment.get((length, at, None), 0)
        return mask


def meet(*templates: Template, sample: str = SAMPLE) -> Meeting | None:
    """Find a path that all of these match, or None where there is none. `sample` fills the parameters."""
    return next(meetings(*templates, sample=sample), None)


def meetings(*templates: Template, sample: str = SAMPLE, longest: int = 0) -> Iterator[Meeting]:
    """Give a path of each length that all of these match, and one more where it may end with a slash.

    Only where every template spans is there more than one length: up to `longest`, or until another
    segment adds nothing but more of the same inside the spans.
    """
    for length in _lengths(templates, longest):
        aligned = [found for found in (_stretched(template.segments, length) for template in templates) if found]
        if len(aligned) < len(templates):
            continue
        path = _path(aligned, sample)
        if path is not None:
            yield Meeting(path, tuple(aligned))
            if all(isinstance(segments[-1], Span) for segments in aligned):
                yield Meeting((*path[:-1], ""), tuple(aligned))


def sample_for(templates: Sequence[Template]) -> str:
    """Choose a value that no literal of these templates is, and no mixed segment of them looks for."""
    segments = [segment for template in templates for segment in template.segments]
    taken = {segment.text for segment in segments if isinstance(segment, Literal)}
    taken |= {mark for segment in segments if isinstance(segment, Mixed) for mark in "".join(segment.literals)}
    return next(mark for mark in chain(_SAMPLES, map(chr, _MORE_SAMPLES)) if mark not in taken)


def _spans(template: Template) -> bool:
    return any(isinstance(segment, Span) for segment in template.segments)


def _lengths(templates: Sequence[Template], longest: int) -> Sequence[int]:
    fixed = {len(template.segments) for template in templates if not _spans(template)}
    if fixed:
        return tuple(fixed) if len(fixed) == 1 else ()
    lengths = [len(template.segments) for template in templates]
    before = [next(at for at, s in enumerate(t.segments) if isinstance(s, Span)) for t in templates]
    after = [length - at - 1 for length, at in zip(lengths, before, strict=True)]
    return range(max(lengths), max(max(before) + 1 + max(after), longest) + 1)


def _stretched(segments: tuple[Segment, ...], length: int) -> tuple[Segment, ...] | None:
    """The segments with their span repeated, so that there are this many; None where that cannot be."""
    if len(segments) == length:
        return segments
    for at, segment in enumerate(segments):
        if isinstance(segment, Span) and len(segments) < length:
            return segments[:at] + (segment,) * (length - len(segments) + 1) + segments[at + 1 :]
    return None


def _path(aligned: Sequence[tuple[Segment, ...]], sample: str) -> tuple[str, ...] | None:
    path: list[str] = []
    for column in zip(*aligned, strict=True):
        text = _shared(column, sample)
        if text is None:
            return None
        path.append(text)
    return tuple(path)


def _shared(column: Sequence[Segment], sample: str) -> str | None:
    """A text that all of these segments match, or None."""
    literal = next((segment for segment in column if isinstance(segment, Literal)), None)
    if literal is not None:
        return literal.text if all(_accepts(segment, literal.text) for segment in column) else None
    mixed = [segment for segment in column if isinstance(segment, Mixed)]
    return next(_candidates(mixed, sample), None) if mixed else sample


def _accepts(segment: Segment, text: str) -> bool:
    # An empty text is a literal at the path's end, and a span that fell on it may end so.
    return isinstance(segment, Span) or segment.accepts(text)


def _candidates(mixed: Sequence[Mixed], sample: str) -> Iterator[str]:
    """Texts that all of these match, the short ones first.

    The last one fits if any text does: the longest beginning, everything that must stand between, the
    longest end.
    """
    start = max((segment.literals[0] for segment in mixed), key=len)
    end = max((segment.literals[-1] for segment in mixed), key=len)
    middles = [segment.literals[1:-1] for segment in mixed]
    for middle in (*middles, tuple(chain.from_iterable(middles))):
        text = sample.join((start, *middle, end))
        if all(segment.accepts(text) for segment in mixed):
            yield text
