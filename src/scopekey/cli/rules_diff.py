"""``scopekey rules diff``: what a change of the rules opens and closes, and which keys it touches."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from scopekey.cli.acting import CannotActError, has_home, home
from scopekey.cli.output import AsJson, one_line, print_table, warn
from scopekey.cli.rules_table import CatalogFile, applied_rules, catalog_of, load_catalog
from scopekey.core.catalog import Catalog, UnknownPermissionError
from scopekey.core.grant import Register, register
from scopekey.core.rules import Rules
from scopekey.insight.diff import Difference, KeyEffect, Kind, Side, differences, effects
from scopekey.wire.rules_file import read_rules

NewCatalog = Annotated[
    Path | None, typer.Option("--new-catalog", help="The catalog of the second table, where it changes as well.")
]
KeyOptions = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="NAME=PERMISSION,…", help="A key to judge; else those of the home folder."),
]


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The rules as they were.")],
    new: Annotated[
        Path | None, typer.Argument(metavar="NEW", help="The rules as they would be; without it, OLD would be applied.")
    ] = None,
    catalog: CatalogFile = None,
    new_catalog: NewCatalog = None,
    key: KeyOptions = None,
    fail: Annotated[bool, typer.Option("--fail-on-widening", help="End with 1 where anybody gains a call.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two tables by what they decide: narrower, wider, moved; and which keys gain or lose what."""
    tables, registers = _read(old, new, catalog, new_catalog)
    found = differences(*tables, *registers)
    keys = _named(key, registers[0]) if key else _at_home(registers[0])
    touched = effects(found, *registers, keys)
    if as_json:
        _print_json(found, touched)
    else:
        _print(found, touched, judged=len(keys))
    raise typer.Exit(1 if fail and any(one.widens for one in found) else 0)


def _read(
    old: Path, new: Path | None, catalog: Path | None, new_catalog: Path | None
) -> tuple[tuple[Rules, Rules], tuple[Register, Register]]:
    """The two tables, and the register of each."""
    at_home = applied_rules() if catalog is None or new is None else None
    known = at_home[0] if at_home else None
    if catalog is not None:
        known = Register.first(load_catalog(catalog))
    if new is None and at_home is None:
        raise CannotActError("there are no applied rules here to compare with: name two rules files")
    later = None if new_catalog is None else load_catalog(new_catalog)
    after = _table(new or old, later or (known.catalog if known else None))
    before = at_home[1] if new is None and at_home else _table(old, known.catalog if known else None)
    if known is None:
        warn("No --catalog and no home folder: permissions are not looked up.")
        known = Register.first(catalog_of(Rules(before.rules + (() if later else after.rules))))
    return (before, after), (known, register(later, known) if later else known)


def _table(file: Path, catalog: Catalog | None) -> Rules:
    return read_rules(file.read_text("utf-8"), str(file), catalog)


def _named(keys: Iterable[str], known: Register) -> list[tuple[str, int]]:
    """Keys written down, as in `etl=datasets:read,jobs:write`."""
    read = []
    for text in keys:
        name, equals, permissions = text.partition("=")
        if not name or not equals:
            raise CannotActError(f"{text!r} is not a key to judge: write --key etl=datasets:read,jobs:write")
        names = [permission.strip() for permission in permissions.split(",") if permission.strip()]
        try:
            read.append((name, known.parse(names)))
        except UnknownPermissionError as error:
            raise CannotActError(f"--key {name}: {error}") from error
    return read


def _at_home(known: Register) -> list[tuple[str, int]]:
    """The live keys of the home folder, by id and name; what the catalog no longer has is left out."""
    if not has_home():
        return []
    with home(local=True) as node:
        from scopekey.authority.actor import Caller
        from scopekey.authority.find_key import KeyQuery, list_keys

        keys: list[tuple[str, int]] = []
        query = KeyQuery(status="active", limit=100)
        while True:
            page = list_keys(node.authority, Caller.machine(), query)
            for key in page.items:
                held = [name for name in key.permissions if name in known.bits]
                keys.append((f"{key.id} {key.name}", known.parse(held)))
            if page.next is None:
                return keys
            query = msgspec.structs.replace(query, cursor=page.next)


def _print(found: list[Difference], touched: list[KeyEffect], *, judged: int) -> None:
    changed = [one for one in found if one.kind is not Kind.SAME]
    rows = [
        (str(one.kind), one.operation, _side(one.before, one), _side(one.after, one), one.example) for one in changed
    ]
    if rows:
        print_table(("change", "operation", "before", "after", "as in"), rows)
    for line in _key_lines(touched):
        typer.echo(one_line(line))
    counts = Counter(one.kind for one in found)
    words = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind]) or "no operation in either"
    widened = sum(one.widens for one in found)
    warn(f"{words}; {widened or 'nothing'} widened; {len(touched)} of {judged} keys gain or lose something")


def _side(side: Side | None, one: Difference) -> str:
    """What one table needs; where another operation decides, it is named."""
    if side is None:
        return "unlisted"
    return side.needs if side.operation == one.operation else f"{side.needs} (by {side.operation})"


def _key_lines(touched: Iterable[KeyEffect]) -> Iterator[str]:
    for effect in touched:
        yield f"key {effect.key}: gains {len(effect.gains)}, loses {len(effect.loses)}"
        yield from (f"  + {one.operation} (as in {one.example})" for one in effect.gains)
        yield from (f"  - {one.operation} (as in {one.example})" for one in effect.loses)


def _print_json(found: list[Difference], touched: list[KeyEffect]) -> None:
    answer = {
        "differences": [
            {
                "kind": str(one.kind),
                "operation": one.operation,
                "example": one.example,
                "before": one.before,
                "after": one.after,
                "widens": one.widens,
            }
            for one in found
            if one.kind is not Kind.SAME
        ],
        "unchanged": sum(one.kind is Kind.SAME for one in found),
        "keys": [
            {
                "key": effect.key,
                "gains": [one.operation for one in effect.gains],
                "loses": [one.operation for one in effect.loses],
            }
            for effect in touched
        ],
    }
    typer.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
