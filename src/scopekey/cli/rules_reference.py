"""``scopekey rules reference``: the permissions reference, as Markdown or HTML."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from scopekey.cli.output import AsJson, warn
from scopekey.cli.rules_table import CatalogFile, RulesFile, rules_table
from scopekey.insight.reference import reference as build
from scopekey.insight.reference_text import html, markdown

Format = Annotated[Literal["markdown", "html"], typer.Option("--format", help="markdown or html.")]
OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file instead of standard output.")
]
Own = Annotated[bool, typer.Option("--own", help="Also the permissions that guard Scopekey itself.")]


def reference(
    rules: RulesFile = None,
    catalog: CatalogFile = None,
    output_format: Format = "markdown",
    output: OutputFile = None,
    own: Own = False,
    as_json: AsJson = False,
) -> None:
    """Write the permissions reference: groups, resources, levels, what each permission opens, presets."""
    table, register = rules_table(rules, catalog)
    built = build(register, table, own=own)
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(built), indent=2).decode() + "\n"
    else:
        text = html(built) if output_format == "html" else markdown(built)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")
        warn(f"The reference is in {output}.")
