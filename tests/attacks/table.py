"""The table of attacks: what became of the cases of each class on each front, for the terminal and for the page."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.attacks.cases import CASES, GROUPS
from tests.attacks.law import Outcome
from tests.attacks.measure import Measured

LEGEND = "refused · served as decided · ended (size: refused · served or ended)"
FAMILIES = {"ASGI": "ASGI adapters", "WSGI": "WSGI adapters", "proxies": "Proxies", "doors": "Doors, asked directly"}
# Whether a server takes a long line depends on the pieces that it arrives in: served and ended are counted as one.
FOLDED = frozenset({"size"})
Cells = tuple[str, ...]


def cells(measured: Measured) -> Cells:
    """A column: for each class how many were refused, served and ended."""
    counts: Mapping[str, Counter[Outcome]] = {group: Counter() for group in GROUPS}
    for case in CASES:
        counts[case.group][measured.outcomes[case.id]] += 1
    return tuple(_cell(group, count) for group, count in counts.items())


def _cell(group: str, count: Counter[Outcome]) -> str:
    refused, served, ended = (count[outcome] for outcome in Outcome)
    return f"{refused} · {served + ended}" if group in FOLDED else f"{refused} · {served} · {ended}"


def columns(measured: Iterable[Measured]) -> dict[Cells, list[Measured]]:
    """Fronts that are all the same in it share a column."""
    found: dict[Cells, list[Measured]] = {}
    for one in measured:
        found.setdefault(cells(one), []).append(one)
    return found


def tables(measured: Sequence[Measured]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """For each family its title, the names over its columns, and its rows."""
    for family, title in FAMILIES.items():
        found = columns(one for one in measured if one.front.family == family)
        if found:
            names = [_names([one.front.name.split(", ") for one in fronts]) for fronts in found.values()]
            yield title, names, [[group, *row] for group, row in zip(GROUPS, zip(*found, strict=True), strict=True)]


def _names(fronts: list[list[str]]) -> str:
    """`a, x` and `b, x` are `a, b: x`."""
    apps: dict[str, list[str]] = {}
    for app, server in fronts:
        apps.setdefault(server, []).append(app)
    servers: dict[str, list[str]] = {}
    for server, some in apps.items():
        servers.setdefault(", ".join(some), []).append(server)
    return "; ".join(f"{some}: {', '.join(names)}" for some, names in servers.items())


def terminal(measured: Sequence[Measured]) -> Iterator[str]:
    """The tables as lines of text; columns are numbered, for their names are long."""
    yield f"{len(CASES)} cases in {len(GROUPS)} classes; each cell: {LEGEND}"
    for title, names, rows in tables(measured):
        yield ""
        yield from (f"[{at}] {title}: {name}" for at, name in enumerate(names, start=1))
        yield f"{'':20}" + "".join(f"{f'[{at}]':>13}" for at in range(1, len(names) + 1))
        yield from (f"{group:20}" + "".join(f"{cell:>13}" for cell in row) for group, *row in rows)


def markdown(measured: Sequence[Measured]) -> str:
    """The tables as they stand on the page."""
    lines = [f"{len(CASES)} cases in {len(GROUPS)} classes, on {len(measured)} fronts.", "", "| class | cases | what |"]
    lines.append("| --- | --- | --- |")
    sizes = Counter(case.group for case in CASES)
    lines += [f"| {group} | {sizes[group]} | {what} |" for group, what in GROUPS.items()]
    lines += ["", f"Each cell: {LEGEND}.", ""]
    for title, names, rows in tables(measured):
        lines += [f"### {title}", "", *(f"{at}. {name}" for at, name in enumerate(names, start=1)), ""]
        lines.append("| class | " + " | ".join(map(str, range(1, len(names) + 1))) + " |")
        lines.append("| --- |" + " --- |" * len(names))
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        lines.append("")
    return "\n".join(lines)
