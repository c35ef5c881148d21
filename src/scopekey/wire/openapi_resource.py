"""Which resource an operation is about, and which level of it: guesses from tag, path and method, with reasons."""

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from scopekey.core.catalog import RESERVED_PREFIX, Catalog, Resource
from scopekey.core.permission import InvalidPermissionError, Permission
from scopekey.wire.openapi_document import DocumentedOperation

_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_WORD = re.compile(r"[a-z0-9]+")
_NOT_A_RESOURCE = re.compile(r"v\d+(?:\.\d+)*|api|admin")
_OBSERVING_METHODS = frozenset({"GET", "HEAD"})
_LEVELS = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
_VERBS = frozenset({"read", "write", "create", "update", "delete", "list", "view", "manage", "admin"})

Words = tuple[str, ...]


class Choice(msgspec.Struct, frozen=True):
    """The name of a resource, and where it was found: `tag 'Datasets'`. A `weak` one is not spelled out there."""

    resource: str
    said: str
    weak: bool = False


Chooser = Callable[[DocumentedOperation], Choice | None]


def words(text: str) -> list[str]:
    """Split a name into lower-case words, whatever its spelling: `DataStreams`, `data-streams`, `Data Streams`."""
    return _WORD.findall(_BOUNDARY.sub(" ", text).lower())


def stems(text: str) -> Words:
    """The words of a name as they are compared: singular and plural are one. Never shown."""
    return tuple(_stem(word) for word in words(text))


def _stem(word: str) -> str:
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    word = word.removesuffix("e")
    return word[:-1] + "i" if word.endswith("y") else word


def static_segments(path: str) -> list[str]:
    """The segments of a path that are literal and may name a resource: no parameter, version or `admin`."""
    segments = [segment for segment in path.split("/") if segment and "{" not in segment]
    return [segment for segment in segments if not _NOT_A_RESOURCE.fullmatch(segment)]


class CatalogChooser:
    """Finds the resource of a catalog that an operation is about, the surest evidence first; None without any."""

    def __init__(self, catalog: Catalog) -> None:
        self._resources = {resource.name: resource for resource in catalog.resources}
        self._exact: dict[Words, str] = {}
        for resource in catalog.resources:
            for spelling in (resource.name, resource.title):
                self._exact.setdefault(stems(spelling), resource.name)
        self._exact.pop((), None)
        self._about = {name: set(stems(f"{name} {resource.covers}")) for name, resource in self._resources.items()}

    def __call__(self, operation: DocumentedOperation) -> Choice | None:
        """Choose for one operation."""
        path = [stems(segment) for segment in static_segments(operation.path)]
        ending = self._ending(path)
        tagged = self._tagged(operation.tags, self._exact.get)
        # A name of several words at the path's end says more than a tag: /apps/events is app_events, not apps.
        if ending and len(stems(ending)) > 1 and (tagged is None or tagged.resource != ending):
            return Choice(ending, "the path")
        if tagged or ending:
            return tagged or Choice(ending or "", "the path")
        weak = self._tagged(operation.tags, self._part) or self._within(path)
        weak = weak or self._tagged(operation.tags, self._covered)
        return msgspec.structs.replace(weak, weak=True) if weak else None

    def named(self, text: str) -> str | None:
        """Find the resource with this name, in whatever spelling and number."""
        return text if text in self._resources else self._exact.get(stems(text))

    def _tagged(self, tags: Iterable[str], find: Callable[[Words], str | None]) -> Choice | None:
        for tag in tags:
            found = find(stems(tag))
            if found:
                return Choice(found, f"tag {tag!r}")
        return None

    def _ending(self, path: list[Words]) -> str | None:
        """The longest name that ends the path, made of whole segments."""
        tails = (sum(path[at:], ()) for at in range(len(path)))
        return next((self._exact[tail] for tail in tails if tail in self._exact), None)

    def _within(self, path: list[Words]) -> Choice | None:
        """The deepest name in the path."""
        ends = (self._ending(path[:end]) for end in range(len(path), 0, -1))
        found = next((name for name in ends if name), None)
        return Choice(found, "the path") if found else None

    def _part(self, tag: Words) -> str | None:
        """The only resource that ends, or begins, with the tag's words."""
        for found in (
            {name for known, name in self._exact.items() if known[-len(tag) :] == tag},
            {name for known, name in self._exact.items() if known[: len(tag)] == tag},
        ):
            if len(found) == 1 and tag:
                return found.pop()
        return None

    def _covered(self, tag: Words) -> str | None:
        """The only resource whose description has all the tag's words."""
        found = [name for name, about in self._about.items() if tag and about.issuperset(tag)]
        return found[0] if len(found) == 1 else None


class TagChooser:
    """Names resources where there is no catalog: by the tag, else by the path. The first spelling seen is kept."""

    def __init__(self) -> None:
        self._names: dict[Words, str] = {}
        self.titles: dict[str, str] = {}

    def __call__(self, operation: DocumentedOperation) -> Choice:
        """Choose for one operation."""
        for text, said in (
            *((tag, f"tag {tag!r}") for tag in operation.tags),
            *((segment, "the path") for segment in static_segments(operation.path)),
        ):
            if words(text):
                return Choice(self._name(text), said)
        return Choice(self._name("api"), "nothing in tag or path that names a resource")

    def _name(self, text: str) -> str:
        name = "_".join(words(text))
        name = f"platform_{name}" if name.startswith(RESERVED_PREFIX) else name
        kept = self._names.setdefault(stems(text), name[:64])
        self.titles.setdefault(kept, text if " " in text or not text.islower() else " ".join(words(text)).title())
        return kept


def level_of(resource: Resource, method: str, observes: Sequence[str]) -> tuple[str, str] | None:
    """Propose a level that the resource offers, and a remark where it is not the obvious one; None if none fits.

    A call that may change something never gets a level that only observes.
    """
    looking = [level for level in resource.levels if level in observes]
    changing = [level for level in resource.levels if level not in observes]
    wanted, offered = ("read", looking) if method in _OBSERVING_METHODS else ("write", changing)
    if wanted in offered:
        return wanted, ""
    verb = _LEVELS.get(method, "")
    if verb in offered:
        return verb, ""
    if offered:
        return offered[0], f"{resource.name} offers no level {wanted!r}: {offered[0]!r} is proposed"
    if method in _OBSERVING_METHODS and changing:
        level = "write" if "write" in changing else changing[0]
        return level, f"{resource.name} offers no level that only looks: {level!r} is proposed"
    return None


def permission_named(text: str, chooser: CatalogChooser | None, catalog: Catalog | None) -> Permission | None:
    """Read a scope as a permission, in the spellings people use: `datasets:read`, `read:datasets`, `Read Datasets`.

    With a catalog it must be in it; without one it must look like a permission.
    """
    if catalog is None or chooser is None:
        return _parsed(text)
    if text in catalog.permissions or text.startswith(RESERVED_PREFIX):
        return _known(text, catalog)
    for separator in (":", ".", "/", " "):
        first, found, second = text.strip().partition(separator)
        if found:
            pairs = ((chooser.named(first), second), (chooser.named(second), first))
            spelled = (f"{resource}:{'_'.join(words(level))}" for resource, level in pairs if resource)
            permission = next((catalog.permissions[name] for name in spelled if name in catalog.permissions), None)
            if permission:
                return permission
    return None


def _known(text: str, catalog: Catalog) -> Permission | None:
    try:
        return catalog.permission(text)
    except ValueError:
        return None


def _parsed(text: str) -> Permission | None:
    first, _, second = text.partition(":")
    if first in _VERBS and second not in _VERBS:
        first, second = second, first
    try:
        permission = Permission.parse(f"{first}:{second}")
    except InvalidPermissionError:
        return None
    if permission.resource.startswith(RESERVED_PREFIX):
        return permission if permission.level in {"read", "write"} else None
    return permission
