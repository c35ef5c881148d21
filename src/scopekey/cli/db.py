"""``scopekey db …``: the store's schema."""

import typer

from scopekey.cli.output import warn
from scopekey.settings import Settings

app: typer.Typer = typer.Typer(no_args_is_help=True, help="The store's schema.")


@app.command()
def upgrade() -> None:
    """Bring the schema to this version's. SQLite does that by itself; PostgreSQL when you say so."""
    from scopekey.store.migrate import upgrade as upgrade_schema

    upgrade_schema(Settings().store_url)
    warn("The schema is up to date.")
