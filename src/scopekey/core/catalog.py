"""The catalog: the resources of one platform, their groups, the levels each offers, and the presets.

Holds what the catalog means; how its file is read stands in ``wire/catalog_file``, and the bits of
its permissions in ``register``.
"""

import difflib
from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from scopekey.core.permission import LEVEL_NAME, MAX_LENGTH, RESOURCE_NAME, InvalidPermissionError, Permission

RESERVED_PREFIX = "scopekey_"
OWN_LEVELS = ("read", "write")
OWN_GROUP = "Scopekey"


class Resource(msgspec.Struct, frozen=True):
    """A functional area of the protected platform and the levels it offers."""

    name: str
    title: str
    group: str
    levels: tuple[str, ...]
    covers: str = ""


class Preset(msgspec.Struct, frozen=True):
    """A named set of permissions for a purpose; resolved when a key is made."""

    name: str
    title: str
    permissions: tuple[str, ...]


OWN_RESOURCES = (
    Resource("scopekey_keys", "Scopekey Keys", OWN_GROUP, OWN_LEVELS, "keys: list, create, edit, rotate, revoke"),
    Resource("scopekey_organizations", "Scopekey Organizations", OWN_GROUP, OWN_LEVELS, "tenants and their policy"),
    Resource("scopekey_audit", "Scopekey Audit", OWN_GROUP, OWN_LEVELS, "the audit log and its proofs"),
    Resource("scopekey_usage", "Scopekey Usage", OWN_GROUP, OWN_LEVELS, "what each permission is used for"),
    Resource("scopekey_reviews", "Scopekey Reviews", OWN_GROUP, OWN_LEVELS, "reviews of keys and their evidence"),
    Resource("scopekey_webhooks", "Scopekey Webhooks", OWN_GROUP, OWN_LEVELS, "where events are announced"),
    Resource("scopekey_verifications", "Scopekey Verifications", OWN_GROUP, OWN_LEVELS, "asking about other keys"),
    Resource("scopekey_changes", "Scopekey Changes", OWN_GROUP, OWN_LEVELS, "the change feed of verifiers"),
    Resource("scopekey_journal", "Scopekey Journal", OWN_GROUP, OWN_LEVELS, "decisions handed in by verifiers"),
)
OPERATOR_ONLY = frozenset({"scopekey_organizations", "scopekey_changes", "scopekey_journal"})
"""Resources that reach across organizations: only keys of the operator may hold them."""


class CatalogFault(msgspec.Struct, frozen=True):
    """One thing wrong with a catalog: where (`("resource", 2, "name")`), and what to do."""

    where: tuple[str | int, ...]
    message: str


class CatalogError(ValueError):
    """The catalog means nothing as it stands; `faults` lists everything that is wrong with it."""

    def __init__(self, faults: Iterable[CatalogFault]) -> None:
        self.faults: tuple[CatalogFault, ...] = tuple(faults)
        super().__init__("; ".join(fault.message for fault in self.faults))


class UnknownPermissionError(ValueError):
    """No such permission in the catalog; `nearest` is the known one that looks most like it."""

    def __init__(self, name: str, nearest: str | None) -> None:
        self.name = name
        self.nearest = nearest
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"there is no permission {name!r}{hint}")


class Catalog(msgspec.Struct, frozen=True, dict=True):
    """The permissions that exist. Raises CatalogError where its parts contradict each other."""

    name: str
    resources: tuple[Resource, ...]
    presets: tuple[Preset, ...] = ()
    levels: tuple[str, ...] = ("read", "write")
    observes: tuple[str, ...] = ("read",)
    implies: dict[str, tuple[str, ...]] = {}
    own: dict[str, str] = {}

    def __post_init__(self) -> None:
        faults = tuple(_faults(self))
        if faults:
            raise CatalogError(faults)

    @cached_property
    def all_resources(self) -> tuple[Resource, ...]:
        """The platform's resources, then Scopekey's own that are not an alias of one of them."""
        aliased = {RESERVED_PREFIX + own for own in self.own}
        return self.resources + tuple(resource for resource in OWN_RESOURCES if resource.name not in aliased)

    @cached_property
    def permissions(self) -> dict[str, Permission]:
        """Every permission by its name, in the catalog's order. Aliases are not among them."""
        return {
            f"{resource.name}:{level}": Permission(resource.name, level)
            for resource in self.all_resources
            for level in resource.levels
        }

    @cached_property
    def _resources(self) -> dict[str, Resource]:
        return {resource.name: resource for resource in self.all_resources}

    @cached_property
    def _presets(self) -> dict[str, Preset]:
        return {preset.name: preset for preset in self.presets}

    def permission(self, text: str) -> Permission:
        """Find the permission with that name; an alias of `own` gives the catalog's.

        Raises UnknownPermissionError with the nearest known name.
        """
        found = self.permissions.get(text)
        if found is not None:
            return found
        resource, _, level = text.partition(":")
        if resource.startswith(RESERVED_PREFIX) and resource.removeprefix(RESERVED_PREFIX) in self.own:
            aliased = self.permissions.get(f"{self.own[resource.removeprefix(RESERVED_PREFIX)]}:{level}")
            if aliased is not None:
                return aliased
        raise UnknownPermissionError(text, nearest(text, self.permissions))

    def resource(self, permission: Permission) -> Resource:
        """Give the resource of a permission of this catalog."""
        return self._resources[permission.resource]

    def title(self, permission: Permission) -> str:
        """Write a permission for people: `Read Datasets`."""
        return f"{permission.level.replace('_', ' ').capitalize()} {self.resource(permission).title}"

    def preset(self, name: str) -> Preset | None:
        """Find a preset by its name."""
        return self._presets.get(name)

    def observing(self, permission: Permission) -> bool:
        """Tell whether a permission only looks. Scopekey's own follow read and write, whatever `observes` says."""
        if self.is_own(permission.resource):
            return permission.level == "read"
        return permission.level in self.observes

    def implied(self, permission: Permission) -> Iterator[Permission]:
        """List what a permission brings along on the same resource, transitively. By default nothing."""
        if self.is_own(permission.resource):
            return
        seen = {permission.level}
        waiting = list(self.implies.get(permission.level, ()))
        offered = self.resource(permission).levels
        while waiting:
            level = waiting.pop()
            if level not in seen:
                seen.add(level)
                waiting.extend(self.implies.get(level, ()))
                if level in offered:
                    yield Permission(permission.resource, level)

    def is_own(self, resource: str) -> bool:
        """Tell whether a resource guards Scopekey itself, by its own name or as the alias of one."""
        return resource.startswith(RESERVED_PREFIX) or resource in self.own.values()

    def operator_only(self, permission: Permission) -> bool:
        """Tell whether only keys of the operator may hold the permission."""
        alias = next((own for own, resource in self.own.items() if resource == permission.resource), None)
        return (RESERVED_PREFIX + alias if alias else permission.resource) in OPERATOR_ONLY


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the known name most like this one, if any is like it at all."""
    # Comparing takes time with the square of the length, and the name may be a stranger's.
    if len(name) > MAX_LENGTH:
        return None
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)), None)


def _faults(catalog: Catalog) -> Iterator[CatalogFault]:
    yield from _level_faults(catalog)
    yield from _resource_faults(catalog)
    yield from _own_faults(catalog)
    yield from _preset_faults(catalog)


def _level_faults(catalog: Catalog) -> Iterator[CatalogFault]:
    if not catalog.levels:
        yield CatalogFault(("levels",), "`levels` is empty: a catalog needs at least one access level")
    for level in catalog.levels:
        if not LEVEL_NAME.fullmatch(level):
            yield CatalogFault(("levels",), f"level {level!r} must match {LEVEL_NAME.pattern}")
    if len(set(catalog.levels)) != len(catalog.levels):
        yield CatalogFault(("levels",), "`levels` names a level twice: remove one")
    named = [("observes", level) for level in catalog.observes]
    named += [("implies", level) for pair in catalog.implies.items() for level in (pair[0], *pair[1])]
    for where, level in named:
        if level not in catalog.levels:
            yield CatalogFault((where,), f"`{where}` names the level {level!r}, which `levels` does not declare")


def _resource_faults(catalog: Catalog) -> Iterator[CatalogFault]:
    seen: set[str] = set()
    for at, resource in enumerate(catalog.resources):
        where: tuple[str | int, ...] = ("resource", at, "name")
        if not RESOURCE_NAME.fullmatch(resource.name):
            yield CatalogFault(where, f"resource name {resource.name!r} must match {RESOURCE_NAME.pattern}")
        if resource.name.startswith(RESERVED_PREFIX):
            yield CatalogFault(where, f"resource name {resource.name!r}: the prefix {RESERVED_PREFIX!r} is reserved")
        if resource.name in seen:
            yield CatalogFault(where, f"resource {resource.name!r} is declared twice: remove or rename one")
        seen.add(resource.name)
        yield from _offer_faults(catalog, resource, ("resource", at, "levels"))


def _offer_faults(catalog: Catalog, resource: Resource, where: tuple[str | int, ...]) -> Iterator[CatalogFault]:
    offer = f"resource {resource.name!r} offers"
    if not resource.levels:
        yield CatalogFault(where, f"{offer} no level: name at least one")
    for level in resource.levels:
        if level not in catalog.levels:
            declared = ", ".join(catalog.levels)
            yield CatalogFault(where, f"{offer} the unknown level {level!r}; `levels` declares {declared}")
    if len(set(resource.levels)) != len(resource.levels):
        yield CatalogFault(where, f"{offer} a level twice: remove one")


def _own_faults(catalog: Catalog) -> Iterator[CatalogFault]:
    known = {resource.name: resource for resource in catalog.resources}
    own_names = {resource.name.removeprefix(RESERVED_PREFIX) for resource in OWN_RESOURCES}
    for own, alias in catalog.own.items():
        if own not in own_names:
            yield CatalogFault(("own",), f"`own` names {own!r}; Scopekey's own are {', '.join(sorted(own_names))}")
        if alias not in known:
            yield CatalogFault(("own",), f"`own` points {own!r} to {alias!r}, which is not a resource of this catalog")
        elif not set(OWN_LEVELS) <= set(known[alias].levels):
            yield CatalogFault(("own",), f"`own` points {own!r} to {alias!r}, which must offer read and write")
    if len(set(catalog.own.values())) != len(catalog.own):
        yield CatalogFault(("own",), "`own` points two of Scopekey's resources to the same one")


def _preset_faults(catalog: Catalog) -> Iterator[CatalogFault]:
    known = {f"{resource.name}:{level}" for resource in catalog.resources for level in resource.levels}
    aliases = {f"{RESERVED_PREFIX}{own}:{level}" for own in catalog.own for level in OWN_LEVELS}
    seen: set[str] = set()
    for at, preset in enumerate(catalog.presets):
        if preset.name in seen:
            twice = f"preset {preset.name!r} is declared twice: remove or rename one"
            yield CatalogFault(("preset", at, "name"), twice)
        seen.add(preset.name)
        for text in preset.permissions:
            if text not in known and text not in aliases:
                yield CatalogFault(("preset", at, "permissions"), _preset_fault(preset.name, text, known))


def _preset_fault(preset: str, text: str, known: set[str]) -> str:
    try:
        reserved = Permission.parse(text).resource.startswith(RESERVED_PREFIX)
    except InvalidPermissionError as error:
        return f"preset {preset!r}: {error}"
    if reserved:
        return f"preset {preset!r} holds {text!r}: Scopekey's own permissions may not be in a preset"
    near = nearest(text, known)
    return f"preset {preset!r} holds the unknown permission {text!r}" + (f"; did you mean {near!r}?" if near else "")
