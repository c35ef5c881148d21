"""``scopekey pepper …``: which peppers are in use."""

import typer

from scopekey.cli.acting import home
from scopekey.cli.output import AsJson, print_json, print_table

app: typer.Typer = typer.Typer(no_args_is_help=True, help="The deployment's keys for digests.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Tell which peppers are here, and how many live secrets each one still has."""
    with home() as node:
        with node.store.reading() as tx:
            counts = tx.keys.pepper_counts(node.authority.clock())
        current = node.authority.pepper.id
        rows = [
            (pepper, "current" if pepper == current else "retired", counts.get(pepper, 0))
            for pepper in node.settings.pepper_ring()
        ]
    if as_json:
        print_json([dict(zip(("pepper", "state", "live_secrets"), row, strict=True)) for row in rows])
        return
    print_table(("pepper", "state", "live secrets"), [(*row[:2], str(row[2])) for row in rows])
