"""``scopekey audit …``: the log, searched, watched, verified, proved and exported."""

import typer

from scopekey.cli.audit_archive import archive
from scopekey.cli.audit_export import export
from scopekey.cli.audit_prove import prove, public_key, verify_proof
from scopekey.cli.audit_search import search, tail
from scopekey.cli.audit_verify import verify

app: typer.Typer = typer.Typer(
    no_args_is_help=True, help="The audit log: search, watch, verify, prove, export and archive it."
)
app.command()(search)
app.command()(tail)
app.command()(verify)
app.command()(prove)
app.command("verify-proof")(verify_proof)
app.command("public-key")(public_key)
app.command()(export)
app.command()(archive)
