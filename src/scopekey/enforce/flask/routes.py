"""What a Werkzeug rule says of itself: its path as a template, and where it stands in the order of matching.

Both are read off what Werkzeug has compiled, which has no public form.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.routing import BaseConverter, Map, Rule

from scopekey.core.target import escaped
from scopekey.enforce.routes.table import Path

if TYPE_CHECKING:
    from werkzeug.routing.matcher import State

# What the plain converter and one that only changes the value accept: any segment that is not empty.
_WHOLE_SEGMENT = frozenset({"[^/]{1,}", "[^/]+"})
_WHOLE_PATH = "[^/].*?"


class Spelling(NamedTuple):
    """A rule, and whether it is reached by a slash that it does not have (`strict_slashes=False`)."""

    rule: Rule
    with_slash: bool


def in_order(url_map: Map) -> Iterator[Spelling]:
    """Every rule, so that of two that match one path the first is the one that is served."""
    url_map.update()
    yield from _beneath(url_map._matcher._root)  # noqa: SLF001


def path_of(spelling: Spelling) -> Path:
    """Write a rule as a template, with the patterns of converters that take less than a segment.

    A converter that takes slashes becomes `{x*}`, any other `{x}`.
    """
    converters: dict[str, BaseConverter] = spelling.rule._converters  # noqa: SLF001
    # The trace tells the domain first, up to a bar.
    trace = spelling.rule._trace  # noqa: SLF001
    written = trace[trace.index((False, "|")) + 1 :]
    text = "".join(_write(converters[part]) % part if dynamic else escaped(part) for dynamic, part in written)
    narrow = {name: re.compile(converter.regex) for name, converter in converters.items() if _is_narrow(converter)}
    return Path(text + "/" * spelling.with_slash, narrow)


def without_slash(path: Path) -> Path | None:
    """The same path without the slash at its end, where it has one to lose."""
    return Path(path.text[:-1], path.narrow) if len(path.text) > 1 and path.text.endswith("/") else None


def at_nothing(path: Path, rule: Rule) -> Path | None:
    """The path that ends where a converter which takes slashes should begin: `/a/` for `/a/<path:x>`.

    To the rules it is one of the route's, with an empty segment at its end; to Werkzeug it is not. None where the
    path of the rule does not end so, or takes it.
    """
    converters: list[BaseConverter] = list(rule._converters.values())  # noqa: SLF001
    if not path.text.endswith("*}") or re.fullmatch(converters[-1].regex, ""):
        return None
    return Path(path.text[: path.text.rindex("{")], path.narrow)


def _beneath(state: "State") -> Iterator[Spelling]:
    """Werkzeug goes down the static ways first, then the others in the order of their weights."""
    yield from (Spelling(rule, with_slash=False) for rule in state.rules)
    for following in state.static.values():
        yield from _beneath(following)
    for _, following in state.dynamic:
        yield from _beneath(following)
    for rule in state.rules:
        # What a converter that takes slashes stands in is matched whole, up to the end of the path.
        whole = any(not converter.part_isolating for converter in rule._converters.values())  # noqa: SLF001
        if not rule.strict_slashes and not whole and not rule.rule.endswith("/"):
            yield Spelling(rule, with_slash=True)


def _write(converter: BaseConverter) -> str:
    return "{%s}" if converter.part_isolating else "{%s*}"


def _is_narrow(converter: BaseConverter) -> bool:
    if converter.part_isolating:
        return converter.regex not in _WHOLE_SEGMENT
    return converter.regex != _WHOLE_PATH
