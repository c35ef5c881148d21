"""The permissions reference as Markdown and as HTML; the same input gives the same bytes."""

from collections.abc import Iterable, Sequence
from html import escape

from scopekey.insight.reference import (
    GroupEntry,
    Opening,
    PermissionEntry,
    PresetEntry,
    Reference,
    ResourceEntry,
)

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%;table-layout:fixed}th:first-child{width:20%}"
    "th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884;vertical-align:top}"
    "ul{margin:.3rem 0;padding-left:1.1rem}code{font-size:.85em}small{opacity:.75}"
)


def markdown(reference: Reference) -> str:
    """Write the reference as GitHub-flavoured Markdown."""
    lines = [
        f"# Permissions of {reference.catalog}",
        "",
        "A permission is an access level on a resource. Permissions add up, and each is checked on its own.",
        "",
    ]
    for group in reference.groups:
        lines += _group(reference.levels, group)
    lines += _presets(reference.presets)
    for title, operations in _others(reference):
        lines += [f"## {title}", "", *(f"- `{operation}`" for operation in operations), ""]
    return "\n".join(lines)


def html(reference: Reference) -> str:
    """Write the reference as one HTML page that needs nothing else."""
    title = escape(f"Permissions of {reference.catalog}")
    body = "".join(_html_group(reference.levels, group) for group in reference.groups)
    presets = "".join(
        f"<tr><td>{escape(preset.title)}<br>{_code(preset.name)}</td><td>{_codes(preset.permissions)}</td>"
        f"<td>{preset.opens}</td></tr>"
        for preset in reference.presets
    )
    if presets:
        body += f"<h2>Presets</h2><table><tr><th>Preset</th><th>Permissions</th><th>Opens</th></tr>{presets}</table>"
    for heading, operations in _others(reference):
        items = "".join(f"<li>{_code(operation)}</li>" for operation in operations)
        body += f"<h2>{escape(heading)}</h2><ul>{items}</ul>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>\n"
    )


def _others(reference: Reference) -> Iterable[tuple[str, Sequence[str]]]:
    if reference.public:
        yield "Public operations", reference.public
    if reference.any_key:
        yield "Open to any live key", reference.any_key


def _group(levels: tuple[str, ...], group: GroupEntry) -> list[str]:
    used = _levels(levels, group)
    lines = [
        f"## {group.title or 'Other'}",
        "",
        f"| Resource | Covers | {' | '.join(level.replace('_', ' ').capitalize() for level in used)} |",
        f"| --- | --- | {' | '.join('---' for _ in used)} |",
    ]
    for resource in group.resources:
        names = {permission.level: f"`{permission.name}`" for permission in resource.permissions}
        offered = " | ".join(names.get(level, "") for level in used)
        lines.append(f"| {_cell(resource.title)} | {_cell(resource.covers)} | {offered} |")
    lines.append("")
    for resource in group.resources:
        lines += _opens(resource)
    return lines


def _opens(resource: ResourceEntry) -> list[str]:
    lines: list[str] = []
    for permission in resource.permissions:
        if permission.opens or permission.implies:
            lines += [f"### {permission.title}", ""]
            if permission.implies:
                lines += [f"Includes {', '.join(f'`{name}`' for name in permission.implies)}.", ""]
            lines += [*(_opening(opening) for opening in permission.opens), ""]
    return lines


def _opening(opening: Opening) -> str:
    beside = f" together with {', '.join(f'`{name}`' for name in opening.beside)}" if opening.beside else ""
    return f"- `{opening.operation}`{beside}"


def _presets(presets: tuple[PresetEntry, ...]) -> list[str]:
    if not presets:
        return []
    rows = (
        f"| {_cell(preset.title)} (`{preset.name}`) | {', '.join(f'`{name}`' for name in preset.permissions)} "
        f"| {preset.opens} |"
        for preset in presets
    )
    return ["## Presets", "", "| Preset | Permissions | Operations it opens |", "| --- | --- | --- |", *rows, ""]


def _levels(levels: tuple[str, ...], group: GroupEntry) -> list[str]:
    """The levels that occur in a group, in the catalog's order; Scopekey's own come with read and write."""
    occur = dict.fromkeys(permission.level for resource in group.resources for permission in resource.permissions)
    return sorted(occur, key=lambda level: levels.index(level) if level in levels else len(levels))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _html_group(levels: tuple[str, ...], group: GroupEntry) -> str:
    used = _levels(levels, group)
    head = "".join(f"<th>{escape(level.replace('_', ' ').capitalize())}</th>" for level in used)
    rows = "".join(_html_resource(used, resource) for resource in group.resources)
    return f"<h2>{escape(group.title or 'Other')}</h2><table><tr><th>Resource</th>{head}</tr>{rows}</table>"


def _html_resource(levels: list[str], resource: ResourceEntry) -> str:
    by_level = {permission.level: permission for permission in resource.permissions}
    cells = "".join(f"<td>{_html_permission(by_level.get(level))}</td>" for level in levels)
    covers = f"<br><small>{escape(resource.covers)}</small>" if resource.covers else ""
    return f"<tr><td>{escape(resource.title)}{covers}</td>{cells}</tr>"


def _html_permission(permission: PermissionEntry | None) -> str:
    if permission is None:
        return ""
    includes = f"<br>includes {_codes(permission.implies)}" if permission.implies else ""
    opens = "".join(f"<li>{_html_opening(opening)}</li>" for opening in permission.opens)
    return _code(permission.name) + includes + (f"<ul>{opens}</ul>" if opens else "")


def _html_opening(opening: Opening) -> str:
    return _code(opening.operation) + (f" together with {_codes(opening.beside)}" if opening.beside else "")


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(map(_code, names))
