"""``scopekey rules …``: propose rules from a description or an app, explain them, apply them."""

from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError, caller, home
from scopekey.cli.check import print_steps
from scopekey.cli.documents import load_document
from scopekey.cli.output import AllowWidening, AsJson, Local, Yes, confirm, warn
from scopekey.cli.rules_annotate import annotate
from scopekey.cli.rules_diff import diff
from scopekey.cli.rules_least import least
from scopekey.cli.rules_lint import lint
from scopekey.cli.rules_reference import reference
from scopekey.cli.rules_reported import reported
from scopekey.cli.rules_table import CatalogFile, RulesFile, load_catalog, read_call, rules_table
from scopekey.core.explain import explain_call
from scopekey.core.matcher import Matcher
from scopekey.core.rules import Rules
from scopekey.wire.catalog_file import write_catalog
from scopekey.wire.changes import rules_digest
from scopekey.wire.openapi import Proposal, proposal_text, propose
from scopekey.wire.rules_file import read_rules, write_rules

app: typer.Typer = typer.Typer(no_args_is_help=True, help="Which operation needs what: propose, explain, apply.")

Output = Annotated[Path, typer.Option("--output", "-o", help="The rules file to write.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite.")]

app.command("least")(least)
app.command("lint")(lint)
app.command("diff")(diff)
app.command("annotate")(annotate)
app.command("reference")(reference)
app.command("reported")(reported)


@app.command("import")
def import_(
    document: Annotated[Path, typer.Argument(metavar="OPENAPI", help="An OpenAPI description, JSON or YAML.")],
    output: Output = Path("rules.toml"),
    catalog: CatalogFile = None,
    force: Force = False,
) -> None:
    """Propose rules from an OpenAPI description; without --catalog a proposed one is written beside them."""
    proposal = propose(load_document(document), None if catalog is None else load_catalog(catalog))
    if not proposal.counts.operations:
        raise CannotActError(f"{document} describes no operation: its `paths` are empty or absent")
    beside = None if catalog is not None else output.with_name("catalog.toml")
    for file in (output, beside):
        if file is not None and file.exists() and not force:
            raise CannotActError(f"{file} exists already: name another file, or give --force to overwrite it")
    output.write_text(proposal_text(proposal), "utf-8")
    if beside is not None:
        beside.write_text(write_catalog(proposal.catalog), "utf-8")
    _report(proposal, output, beside)


@app.command("from-app")
def from_app(
    target: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:APP", help="A FastAPI, Starlette, Flask or Django app whose routes say what they require."
        ),
    ],
    output: Output = Path("rules.toml"),
    force: Force = False,
) -> None:
    """Write the rules that `protect` would build for an app, for the operator to apply."""
    from scopekey.cli.app_rules import rules_of_app

    if output.exists() and not force:
        raise CannotActError(f"{output} exists already: name another file, or give --force to overwrite it")
    rules = rules_of_app(target)
    output.write_text(write_rules(rules), "utf-8")
    warn(f"{len(rules.rules)} rules in {output}")


@app.command()
def explain(
    call: Annotated[str, typer.Argument(metavar="CALL", help='As in "GET /datasets/42/sample".')],
    rules: RulesFile = None,
    catalog: CatalogFile = None,
    as_json: AsJson = False,
) -> None:
    """Say how a call is read, which rule decides it and what it needs."""
    method, target = read_call(call)
    table, register = rules_table(rules, catalog)
    steps, _ = explain_call(Matcher(table, register), method, target)
    print_steps(steps, as_json=as_json)
    raise typer.Exit(0 if all(step.passed is not False for step in steps) else 1)


@app.command()
def apply(
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="The rules' file.")],
    yes: Yes = False,
    allow_widening: AllowWidening = False,
    local: Local = False,
) -> None:
    """Make a file's rules the applied ones, for every verifier."""
    from scopekey.authority.catalog import applied, apply_rules

    with home(local=local) as node:
        actor = caller(node, local=local)
        register, present = applied(node.authority, actor)
        table = read_rules(rules.read_text("utf-8"), str(rules), register.catalog)
        if rules_digest(table) == rules_digest(present):
            warn("These are the applied rules already.")
            return
        before, after = _operations(present), _operations(table)
        changed = sum(before[call] != after[call] for call in before.keys() & after.keys())
        confirm(
            f"Apply {len(table.rules)} rules: {len(after.keys() - before.keys())} new, "
            f"{len(before.keys() - after.keys())} gone, {changed} changed?",
            yes=yes,
        )
        place = apply_rules(node.authority, actor, table, allow_widening=allow_widening)
        warn(f"Applied at position {place.position if place else 0}.")


def _report(proposal: Proposal, output: Path, beside: Path | None) -> None:
    counts = proposal.counts
    warn(
        f"{counts.operations} operations: {counts.guarded} guarded, {counts.public} public, "
        f"{counts.left_out} left out. Rules in {output}."
    )
    if counts.nobody:
        warn(f"Of the guarded, {counts.nobody} are closed until somebody decides: look for LOOK in the file.")
    if beside is not None:
        warn(f"The proposed catalog is in {beside}. Read both before you apply them.")
    for left in proposal.left_out:
        warn(f"left out: {left}")


def _operations(rules: Rules) -> dict[str, object]:
    return {str(rule.operation): rule for rule in rules.rules}
