"""``scopekey catalog …``: look at the permissions there are, and change them."""

from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.acting import caller, home
from scopekey.cli.output import AllowWidening, AsJson, Local, Yes, confirm, print_json, print_table, warn
from scopekey.cli.rules_table import load_catalog
from scopekey.wire.catalog_file import write_catalog
from scopekey.wire.changes import catalog_digest

app: typer.Typer = typer.Typer(no_args_is_help=True, help="The resources, levels and presets there are.")


@app.command()
def show(
    as_json: AsJson = False,
    as_toml: Annotated[bool, typer.Option("--toml", help="Print it as a catalog file.")] = False,
) -> None:
    """Show the applied catalog."""
    from scopekey.authority.actor import Caller
    from scopekey.authority.catalog import applied
    from scopekey.authority.reference import permissions_reference

    with home() as node:
        reference = permissions_reference(node.authority, Caller.machine())
        catalog = applied(node.authority, Caller.machine())[0].catalog
    if as_toml:
        typer.echo(write_catalog(catalog), nl=False)
    elif as_json:
        print_json(reference)
    else:
        rows = [
            (resource.group, resource.title, permission.name, resource.covers)
            for resource in reference.resources
            for permission in resource.permissions
        ]
        print_table(("group", "resource", "permission", "covers"), rows)


@app.command()
def apply(
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="The catalog's file.")],
    yes: Yes = False,
    allow_widening: AllowWidening = False,
    local: Local = False,
) -> None:
    """Make a file's catalog the applied one, for every verifier."""
    from scopekey.authority.catalog import applied, apply_catalog
    from scopekey.authority.holders import holders

    wanted = load_catalog(catalog)
    with home(local=local) as node:
        actor = caller(node, local=local)
        register, _ = applied(node.authority, actor)
        if catalog_digest(wanted) == catalog_digest(register.catalog):
            warn("This is the applied catalog already.")
            return
        new = [name for name in wanted.permissions if name not in register.catalog.permissions]
        gone = [name for name in register.catalog.permissions if name not in wanted.permissions]
        for name, keys in holders(node.authority, actor, gone).items():
            warn(f"{name} would be gone; held by {', '.join(keys)}")
        confirm(f"Apply {wanted.name!r}: {len(new)} permissions new, {len(gone)} gone?", yes=yes)
        _, place = apply_catalog(node.authority, actor, wanted, allow_widening=allow_widening)
    warn(f"Applied at position {place.position if place else 0}.")
    if new:
        warn("No key holds these yet; grant them with `scopekey keys edit --local`: " + ", ".join(new))


@app.command()
def typescript(
    catalog: Annotated[
        Path | None, typer.Argument(metavar="[CATALOG]", help="A catalog's file; without one, the applied catalog.")
    ] = None,
) -> None:
    """Print the catalog as a TypeScript module, so that a permission it does not have does not compile."""
    from scopekey.authority.actor import Caller
    from scopekey.authority.catalog import applied
    from scopekey.insight.typescript import typescript as module_of

    if catalog is not None:
        wanted = load_catalog(catalog)
    else:
        with home() as node:
            wanted = applied(node.authority, Caller.machine())[0].catalog
    typer.echo(module_of(wanted), nl=False)
