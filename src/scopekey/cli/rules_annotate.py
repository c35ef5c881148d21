"""``scopekey rules annotate``: required permissions, written back into an OpenAPI document."""

import json
from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.documents import load_document
from scopekey.cli.output import warn
from scopekey.cli.rules_table import CatalogFile, RulesFile, rules_table
from scopekey.wire.openapi_annotate import annotate as annotate_document

OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of standard output.")]


def annotate(
    document: Annotated[Path, typer.Argument(metavar="OPENAPI", help="An OpenAPI description, JSON or YAML.")],
    rules: RulesFile = None,
    catalog: CatalogFile = None,
    output: OutputFile = None,
) -> None:
    """Write what each operation needs into its description; those that no rule lists are closed to all."""
    table, _ = rules_table(rules, catalog)
    described = load_document(document)
    unlisted = annotate_document(described, table)
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")
        warn(f"The annotated description is in {output}.")
    for operation in unlisted:
        warn(f"not listed, so closed to all: {operation}")
