"""The table of rules that a URLconf's views declare.

Django routes by the path alone and serves the first route that matches, whatever the method: so a route also shuts
the methods that it does not answer on the paths that it takes away from others.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLResolver

from scopekey.core.catalog import Catalog
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.overlap import Meeting, Templates, meet, meetings
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.core.template import InvalidTemplateError, Literal, Mixed, Parameter, Span, Template
from scopekey.enforce.django.declare import EVENT, Declared
from scopekey.enforce.django.urls import SOME, Narrow, Piece, UnreadableRouteError, joined, leaves, read
from scopekey.enforce.django.views import Answers, answers_of
from scopekey.enforce.routes.overlap import Shape
from scopekey.enforce.routes.table import METHODS, Listed, Path, Table, name_of

Key = tuple[Any, str, str]
"""A view, its route as `resolver_match.route` tells it, and the method of the request."""

_INCLUDE = "the include"
_NO_PERMISSIONS = Register.first(Catalog("overlap", ()))


class Route:
    """One route as Django tries them: its path, what is declared for each method, and where it is served."""

    def __init__(self, path: Path, what: str, answers: Answers, served: list[tuple[Any, str]]) -> None:
        self.path = path
        self.what = what
        self.answers = answers
        self.served = served
        self.shut: set[str] = set()


class RoutesTable(Table):
    """The operations of a URLconf, what each needs, and where each is served.

    `served` and `declared` tell the operation and what was counted for it by a view, its route and a method.
    """

    def __init__(self, resolver: Any, mounts: Mapping[str, Declared]) -> None:
        super().__init__()
        self.declared: dict[Key, tuple[Declared, ...]] = {}
        self._mounts = dict(mounts)
        self._named: set[str] = set()
        self._routes: list[Route] = []
        self._walk(resolver, Piece("/"), "")
        self.faults.extend(
            f"MOUNTS names {path!r}, but nothing is included there: remove it, or write it as the include() has it"
            for path in sorted(self._mounts.keys() - self._named)
        )
        _settle(self._routes)
        for route in self._routes:
            self._list(route)

    def is_decided(self, request: Any) -> bool:
        """Tell whether the view that a request was routed to, and its method now, are the operation decided."""
        event = getattr(request, EVENT, None)
        return event is not None and event.proceeds and event.operation in self.served.get(_key(request), ())

    def counted(self, request: Any) -> tuple[Declared, ...]:
        """The declarations that were counted for what a request was routed to."""
        return self.declared.get(_key(request), ())

    def answered(self, request: Any) -> list[str]:
        """The methods that the view answers which a request was routed to."""
        match = request.resolver_match
        return [method for view, route, method in self.served if (view, route) == (match.func, match.route)]

    def clash(self, method: str, first: Listed, second: Listed) -> str | None:
        """Say why two routes cannot be decided side by side; None where router and rules choose alike."""
        # What is wrong with the paths of two routes is told of the methods that the second answers.
        if not second.rule:
            return None
        # <path:…> takes no empty rest: what the rules take for its own there goes to the second.
        rest = _without_rest(first.shape)
        if rest is not None and meet(rest, second.shape.template):
            if not _prefers(second.operation, first.operation, rest):
                return "because the router and the rules choose differently where nothing stands for its <path:…>"
            if rest.covers(second.shape.template):
                return None
        return super().clash(method, first, second)

    def _walk(self, resolver: Any, prefix: Piece, route: str) -> None:
        for pattern in resolver.url_patterns:
            told = joined(route, pattern)
            try:
                piece = prefix.then(read(pattern))
            except UnreadableRouteError as error:
                self.faults.append(f"{told!r} under {prefix.text} cannot be guarded: {error}")
                continue
            if not isinstance(pattern, URLResolver):
                self._view(pattern.callback, piece, told)
            elif piece.text in self._mounts:
                self._mount(pattern, piece, told)
            else:
                self._walk(pattern, piece, told)

    def _view(self, callback: Any, piece: Piece, route: str) -> None:
        name, answers = name_of(getattr(callback, "view_class", callback)), answers_of(callback)
        silent = [method for method, declared in answers.items() if not declared]
        if not answers:
            self.faults.append(f"{piece.text} ({name}) answers no method: give it a handler")
        elif len(silent) == len(answers):
            self.faults.append(f"{piece.text} ({name}) declares nothing: decorate it with requires(…) or public()")
        elif silent:
            what = ", ".join(silent)
            self.faults.append(f"{piece.text} ({name}) declares nothing for {what}: decorate it with requires(…)")
        self._routes.append(Route(Path(piece.text, piece.narrow), name, answers, [(callback, route)]))

    def _mount(self, resolver: Any, piece: Piece, route: str) -> None:
        """List everything under a prefix as it was named in `MOUNTS`; nothing in it is read."""
        self._named.add(piece.text)
        if not piece.text.endswith("/"):
            self.faults.append(f"MOUNTS names {piece.text!r}, which ends inside a segment: let the prefix end with /")
        declared = self._mounts[piece.text]
        answers: Answers = {method: (declared,) for method in METHODS if declared.speaks_of(method)}
        under = Path(piece.text.rstrip("/") + "/{path*}", piece.narrow)
        self._routes.append(Route(under, _INCLUDE, answers, list(leaves(resolver, route))))

    def _list(self, route: Route) -> None:
        for method in sorted(route.answers.keys() | route.shut):
            where = f"{method} {route.path.text} ({route.what})"
            declared = route.answers.get(method, ())
            if declared or method in route.shut:
                self.add(method, route.path, declared, where, kind="http" if declared else "page")
            if declared:
                # HEAD is decided as GET where it is not listed.
                heads = ["HEAD"] if method == "GET" and "HEAD" not in route.answers else []
                for served, at in ((s, m) for s in route.served for m in (method, *heads)):
                    key = (*served, at)
                    self.served[key] = self.served.get(key, frozenset()) | {f"{method} {route.path.text}"}
                    self.declared[key] = (*self.declared.get(key, ()), *declared)
        if route.what == _INCLUDE:
            self.swallow(route.path, f"{_INCLUDE} at {route.path.text.removesuffix('{path*}')}")


def _settle(routes: list[Route]) -> None:
    """Find for each route which methods it must shut: those that others answer on paths that Django serves by it.

    Where one of them lists HEAD, a HEAD of the others would no longer be decided as their GET: they list it too.
    """
    heads = [at for at, route in enumerate(routes) if "HEAD" in route.answers]
    pairs = list(_meetings(routes))
    while heads:
        at = heads.pop()
        for other in (second if at == first else first for first, second, *_ in pairs if at in {first, second}):
            answers = routes[other].answers
            if "HEAD" not in answers and "GET" in answers:
                answers["HEAD"] = answers["GET"]
                heads.append(other)
    for first, second, met in pairs:
        declines = [_declines(one, routes[first].path.narrow) for one in met]
        if False in {always for _, always in declines}:
            routes[first].shut |= routes[second].answers.keys() - routes[first].answers.keys()
        if True in {ever for ever, _ in declines}:
            # What the first declines after all, Django serves by the second.
            routes[second].shut |= routes[first].answers.keys() - routes[second].answers.keys()


def _meetings(routes: list[Route]) -> Iterator[tuple[int, int, list[Meeting]]]:
    """Every pair of routes that some path matches both of, by their numbers, the earlier one first."""
    index = Templates()
    known: list[tuple[int, Template]] = []
    for number, route in enumerate(routes):
        try:
            template = Template.parse(route.path.text)
        except InvalidTemplateError:
            continue  # told where it is listed
        for earlier in index.rivals(template):
            met = list(meetings(known[earlier][1], template))
            if met:
                yield known[earlier][0], number, met
        index.add(template)
        known.append((number, template))


def _declines(met: Meeting, narrow: Narrow) -> tuple[bool, bool]:
    """Tell whether the first declines, by a converter, some of the paths that two routes match, and whether all."""
    some = every = False
    for one, other in zip(*met.aligned, strict=True):
        names = one.names if isinstance(one, Mixed) else () if isinstance(one, Literal) else (one.name,)
        if narrow.keys().isdisjoint(names):
            continue
        if isinstance(one, Parameter) and isinstance(other, Literal):
            every = every or not narrow[one.name].fullmatch(other.text)
        else:
            some = some or not isinstance(one, Span) or isinstance(other, Span) or other == Literal("")
    return some or every, every


def _without_rest(shape: Shape) -> Template | None:
    """The template with nothing for its span, where rules take that for a match and the route does not."""
    template = shape.template
    last = template.segments[-1]
    if not isinstance(last, Span) or shape.narrow.get(last.name) is not SOME:
        return None
    return Template(template.text, (*template.segments[:-1], Literal("")))


def _prefers(wanted: Operation, other: Operation, paths: Template) -> bool:
    """Tell whether the rules choose an operation, and not the other, where it meets these paths."""
    met = meet(wanted.template, paths)
    match = Matcher(Rules((Rule(wanted, None), Rule(other, None))), _NO_PERMISSIONS).match(
        wanted.method, met.path if met else ()
    )
    return match is not None and match.operation == wanted


def _key(request: Any) -> Key:
    match = request.resolver_match
    return (match.func, match.route, request.method) if match is not None else (None, "", "")
