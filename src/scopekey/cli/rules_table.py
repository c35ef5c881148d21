"""The rules a command looks at: from files, or the applied ones; and the calls it is asked about."""

import os
from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError, has_home, home
from scopekey.cli.output import warn
from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.rules import METHOD, Rules
from scopekey.wire.catalog_file import read_catalog
from scopekey.wire.rules_file import read_rules

CatalogFile = Annotated[Path | None, typer.Option("--catalog", help="The catalog's file.")]
RulesFile = Annotated[Path | None, typer.Option("--rules", help="The rules' file; else the applied ones.")]


def read_call(text: str) -> tuple[str, bytes]:
    """Split a call, as in `GET /datasets/42`, into its method and its raw target. Raises CannotActError."""
    method, space, target = text.partition(" ")
    if not space or not METHOD.fullmatch(method) or not target.isascii():
        raise CannotActError(f'{text!r} is not a call: write it as in "GET /datasets/42"')
    return method, target.encode("ascii")


def load_catalog(file: Path) -> Catalog:
    """Read a catalog's file. Raises FileError."""
    return read_catalog(file.read_text("utf-8"), str(file))


def rules_table(rules: Path | None, catalog: Path | None) -> tuple[Rules, Register]:
    """The rules and a register to look them up in: from files, from the home folder, or made up of the rules."""
    at_home = applied_rules() if rules is None or catalog is None else None
    register = at_home[0] if at_home else None
    if catalog is not None:
        register = Register.first(load_catalog(catalog))
    if rules is None:
        if at_home is None:
            raise CannotActError("there are no applied rules here: name a file with --rules")
        return at_home[1], register or at_home[0]
    table = read_rules(rules.read_text("utf-8"), str(rules), register.catalog if register else None)
    if register is None:
        warn("No --catalog and no home folder: permissions are not looked up.")
        register = Register.first(catalog_of(table))
    return table, register


def applied_rules() -> tuple[Register, Rules] | None:
    """Read the applied register and rules of the home folder; None where there is none here."""
    if os.environ.get("SCOPEKEY_URL") or not has_home():
        return None
    from scopekey.authority.actor import Caller
    from scopekey.authority.catalog import applied

    with home() as node:
        return applied(node.authority, Caller.machine())


def catalog_of(rules: Rules) -> Catalog:
    """A catalog of just the permissions that rules name."""
    levels: dict[str, dict[str, None]] = {}
    for rule in rules.rules:
        for alternative in rule.requirement.any_of if rule.requirement else ():
            for permission in alternative:
                if not permission.resource.startswith("scopekey_"):
                    levels.setdefault(permission.resource, {})[permission.level] = None
    names = tuple(dict.fromkeys(level for found in levels.values() for level in found)) or ("read", "write")
    resources = tuple(Resource(name, name, "", tuple(found)) for name, found in levels.items())
    return Catalog("unnamed", resources, levels=names, observes=tuple(level for level in names if level == "read"))
