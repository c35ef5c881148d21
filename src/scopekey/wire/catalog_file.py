"""The catalog as a TOML file: read with every fault at its line, written so that people like to edit it.

What a catalog means, and what makes one contradict itself, stands in ``core/catalog``.
"""

from typing import Any

from scopekey.core.catalog import RESERVED_PREFIX, Catalog, CatalogError, Preset, Resource
from scopekey.wire import toml_text
from scopekey.wire.toml_file import Table, TomlFile

_ROOT = ("name", "levels", "observes", "implies", "own", "resource", "preset")
_NO_GROUP = "Other"


def read_catalog(text: str, file: str) -> Catalog:
    """Read a catalog; `file` is the name that faults are told under. Raises FileError with all of them."""
    document = TomlFile(text, file)
    root = document.root
    root.known(*_ROOT)
    levels = root.texts("levels") or (() if root.values.get("levels") == [] else ("read", "write"))
    observes = root.texts("observes")
    resources = {table.path: _resource(table, levels) for table in root.tables("resource")}
    own = _own(root.table("own"))
    presets = {table.path: _preset(table, own) for table in root.tables("preset")}
    facts: dict[str, Any] = {
        "name": root.required_text("name", '"data_platform"'),
        "levels": levels,
        "observes": tuple(level for level in ("read",) if level in levels) if observes is None else observes,
        "implies": _implies(root.table("implies")),
        "own": own,
    }
    catalog = _built(document, facts, resources, presets)
    document.check()
    if catalog is None:
        raise AssertionError("a catalog that could not be built has faults")
    return catalog


def _resource(table: Table, levels: tuple[str, ...]) -> Resource | None:
    table.known("name", "title", "group", "levels", "covers")
    name = table.required_text("name", '"datasets"')
    offered = table.texts("levels")
    title, group, covers = table.text("title"), table.text("group"), table.text("covers")
    if name is None:
        return None
    title = name.replace("_", " ").title() if title is None else title
    group = _NO_GROUP if group is None else group
    return Resource(name, title, group, levels if offered is None else offered, covers or "")


def _preset(table: Table, own: dict[str, str]) -> Preset | None:
    table.known("name", "title", "permissions")
    name = table.required_text("name", '"read_only_analytics"')
    permissions = table.texts("permissions")
    if "permissions" not in table.values:
        table.file.fault(table.path, '`permissions` is missing; add permissions = ["datasets:read"]')
    title = table.text("title")
    if name is None:
        return None
    title = name.replace("_", " ").capitalize() if title is None else title
    return Preset(name, title, tuple(_unaliased(permission, own) for permission in permissions or ()))


def _unaliased(permission: str, own: dict[str, str]) -> str:
    """Write a permission by the catalog's name where `own` gives it one."""
    resource, colon, level = permission.partition(":")
    alias = own.get(resource.removeprefix(RESERVED_PREFIX)) if resource.startswith(RESERVED_PREFIX) else None
    return alias + colon + level if alias else permission


def _own(table: Table) -> dict[str, str]:
    read = {key: table.text(key) for key in table.values}
    return {key: value for key, value in read.items() if value is not None}


def _implies(table: Table) -> dict[str, tuple[str, ...]]:
    read = {key: table.texts(key) for key in table.values}
    return {key: value for key, value in read.items() if value is not None}


def _built(
    document: TomlFile,
    facts: dict[str, Any],
    resources: dict[tuple[str | int, ...], Resource | None],
    presets: dict[tuple[str | int, ...], Preset | None],
) -> Catalog | None:
    """Build the catalog from what could be read, and note what contradicts itself, where it stands."""
    places = {
        "resource": [path for path, resource in resources.items() if resource],
        "preset": [path for path, preset in presets.items() if preset],
    }
    try:
        return Catalog(
            resources=tuple(resource for resource in resources.values() if resource),
            presets=tuple(preset for preset in presets.values() if preset),
            **{**facts, "name": facts["name"] or ""},
        )
    except CatalogError as error:
        for fault in error.faults:
            kind, *rest = fault.where
            if rest:
                document.fault((*places[str(kind)][int(rest[0])], *rest[1:]), fault.message)
            else:
                document.fault(fault.where, fault.message)
        return None


def write_catalog(catalog: Catalog, *, header: str = "") -> str:
    """Write a catalog; reading it back gives the same one."""
    lines = [*toml_text.comment(header), ""] if header else []
    lines += [
        f"name = {toml_text.string(catalog.name)}",
        f"levels = {toml_text.array(catalog.levels)}",
        f"observes = {toml_text.array(catalog.observes)}  # the levels that change nothing",
    ]
    if catalog.implies:
        implied = {level: toml_text.array(levels) for level, levels in catalog.implies.items()}
        lines.append(f"implies = {toml_text.inline_table(implied)}  # a level brings these along")
    if catalog.own:
        aliases = {own: toml_text.string(resource) for own, resource in catalog.own.items()}
        lines.append(f"own = {toml_text.inline_table(aliases)}  # the platform's names for Scopekey's own resources")
    for resource in catalog.resources:
        lines += ["", *_resource_lines(resource)]
    for preset in catalog.presets:
        lines += ["", *_preset_lines(preset)]
    return "\n".join(lines) + "\n"


def _resource_lines(resource: Resource) -> list[str]:
    lines = [
        "[[resource]]",
        f"name = {toml_text.string(resource.name)}",
        f"title = {toml_text.string(resource.title)}",
        f"group = {toml_text.string(resource.group)}",
        f"levels = {toml_text.array(resource.levels)}",
    ]
    return [*lines, f"covers = {toml_text.string(resource.covers)}"] if resource.covers else lines


def _preset_lines(preset: Preset) -> list[str]:
    return [
        "[[preset]]",
        f"name = {toml_text.string(preset.name)}",
        f"title = {toml_text.string(preset.title)}",
        f"permissions = {toml_text.array(preset.permissions)}",
    ]
