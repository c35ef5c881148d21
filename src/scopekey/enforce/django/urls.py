"""One route of a URLconf as a piece of a template: `path()` with its converters, and `re_path()` where it is as plain.

What cannot be read is refused: a route whose paths nobody can name cannot be decided on them.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLResolver
from django.urls.converters import PathConverter, StringConverter
from django.urls.resolvers import RegexPattern, RoutePattern

from scopekey.core.target import escaped

_IN_ROUTE = re.compile(r"<(?:[^>:]+:)?([^>]+)>")
_GROUP = re.compile(r"\(\?P<(\w+)>((?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^()\\])+)\)")
_LITERAL = re.compile(r"[\w/@:!,'=&%~ -]|\\([^A-Za-z0-9])", re.ASCII)
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)

_END = re.compile(r"(?:\\Z|(?<!\\)\$)\Z")

SOME = re.compile(r".+")
"""What a span accepts that takes no empty rest."""
_SPANS = {".+": SOME, ".*": None}

Narrow = dict[str, re.Pattern[str]]


class UnreadableRouteError(Exception):
    """The route is no template; says why and what to do."""


class Piece:
    """What one route adds to a template: its text, its parameters' names, and what those accept that take less."""

    def __init__(self, text: str = "", names: tuple[str, ...] = (), narrow: Narrow | None = None) -> None:
        self.text = text
        self.names = names
        self.narrow: Narrow = narrow or {}

    def then(self, following: "Piece") -> "Piece":
        """This piece and what stands behind it. Raises UnreadableRouteError where one name stands twice."""
        names = self.names + following.names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UnreadableRouteError(f"its path has two parameters named {twice!r}: rename one")
        return Piece(self.text + following.text, names, self.narrow | following.narrow)

    def literal(self, text: str) -> "Piece":
        """This piece and a text that stands for itself."""
        return Piece(self.text + escaped(text), self.names, self.narrow)

    def parameter(self, name: str, taken: re.Pattern[str] | None, *, spans: bool = False) -> "Piece":
        """This piece and a parameter; `taken` is what it accepts, None for all that the template says."""
        more = {} if taken is None else {name: taken}
        return self.then(Piece("{" + name + ("*}" if spans else "}"), (name,), more))


def read(route: Any) -> Piece:
    """Read what stands in a URLconf: an endpoint, or the prefix of an `include()`.

    Raises UnreadableRouteError for translated prefixes, and for what may match a path in more than one way.
    """
    pattern, endpoint = route.pattern, not isinstance(route, URLResolver)
    if type(pattern) is RoutePattern and isinstance(pattern._route, str):  # noqa: SLF001 - else it would be translated
        piece = _of_route(pattern)
    elif type(pattern) is RegexPattern and isinstance(pattern._regex, str):  # noqa: SLF001 - as above
        piece = _of_expression(pattern._regex, endpoint=endpoint)  # noqa: SLF001 - `regex` is the compiled one
    else:
        raise UnreadableRouteError("its path changes with the language of the request: give each path a route")
    if not endpoint:
        _refuse_open_prefix(piece)
    return piece


def _of_route(pattern: Any) -> Piece:
    route, piece, at = pattern._route, Piece(), 0  # noqa: SLF001 - str() would hide a translated one
    for found in _IN_ROUTE.finditer(route):
        name, converter = found[1], pattern.converters[found[1]]
        piece, at = piece.literal(route[at : found.start()]), found.end()
        if type(converter) is StringConverter:
            piece = piece.parameter(name, None)
        elif type(converter) is PathConverter:
            piece = piece.parameter(name, SOME, spans=True)
        else:
            piece = piece.parameter(name, _narrow(converter.regex, name))
    return piece.literal(route[at:])


def _of_expression(expression: str, *, endpoint: bool) -> Piece:
    """Read an expression that is anchored and made of literals and named groups alone."""
    inside, anchored = expression.removeprefix("^"), 1
    if endpoint:
        inside, anchored = _END.subn("", inside)
    if not anchored or (inside and not expression.startswith("^")):
        raise UnreadableRouteError(f"{expression!r} is not anchored, so it matches more than one can name: use path()")
    piece, at = Piece(), 0
    while at < len(inside):
        group, literal = _GROUP.match(inside, at), _LITERAL.match(inside, at)
        found = group or literal
        if found is None or inside[found.end() : found.end() + 1] in tuple("?*+{"):
            raise UnreadableRouteError(f"{expression!r} is no plain path: write it with path() and converters")
        at = found.end()
        piece = _of_group(piece, group[1], group[2]) if group else piece.literal(found[1] or found[0])
    return piece


def _of_group(piece: Piece, name: str, expression: str) -> Piece:
    if expression in _SPANS:
        return piece.parameter(name, _SPANS[expression], spans=True)
    return piece.parameter(name, None if expression == "[^/]+" else _narrow(expression, name))


def _narrow(expression: str, name: str) -> re.Pattern[str]:
    """What a parameter accepts. Raises UnreadableRouteError where that may be nothing, or reach over a slash."""
    taken = re.compile(expression)
    if any(map(_takes_slash, _ATOM.findall(expression))) or taken.fullmatch(""):
        raise UnreadableRouteError(
            f"{expression!r} of the parameter {name!r} may match nothing or a slash: narrow it, or use <path:{name}>"
        )
    return taken


def _takes_slash(atom: str) -> bool:
    """Tell whether one atom of an expression matches a slash; an escape that is no class is taken to do so."""
    if len(atom) == 1:
        return atom in "./"
    try:
        return re.fullmatch(atom, "/") is not None or (atom.startswith("\\") and atom[1] in "0123456789gxuUN")
    except re.error:
        return True


def _refuse_open_prefix(piece: Piece) -> None:
    """Django matches a prefix alone and never comes back to it: it must end in one place only."""
    if "*}" in piece.text:
        raise UnreadableRouteError("its prefix has a parameter that spans segments: let the views have it")
    if piece.names and "/" not in piece.text.rpartition("}")[2]:
        raise UnreadableRouteError("its prefix ends with a parameter: set a slash behind it")


def leaves(resolver: Any, route: str = "") -> Iterator[tuple[Any, str]]:
    """Every view under a resolver, with the route that Django tells of it when it is reached."""
    for pattern in resolver.url_patterns:
        told = joined(route, pattern)
        if isinstance(pattern, URLResolver):
            yield from leaves(pattern, told)
        else:
            yield pattern.callback, told


def joined(route: str, pattern: Any) -> str:
    """The route up to a pattern, as `request.resolver_match.route` has it."""
    return route + str(pattern.pattern).removeprefix("^") if route else str(pattern.pattern)
