"""How answers leave the command line: tables for people, plain lines for pipes, JSON for programs."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scopekey.cli.acting import CannotActError
from scopekey.settings import write_private

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
AllowWidening = Annotated[
    bool, typer.Option("--allow-widening", help="Apply it even where it lets somebody do more than before.")
]
Local = Annotated[bool, typer.Option("--local", help="Act on the home folder, as this machine.")]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", help="Write the printed key to this new file (0600) instead of the terminal."),
]


def console() -> Console:
    """Where answers go; colour only for a terminal."""
    return Console(highlight=False, soft_wrap=True)


def print_json(answer: BaseModel | Sequence[BaseModel | Mapping[str, object]]) -> None:
    """Print an answer as JSON, exactly as the API writes it."""
    if isinstance(answer, BaseModel):
        typer.echo(answer.model_dump_json(indent=2))
        return
    items = [item.model_dump(mode="json") if isinstance(item, BaseModel) else dict(item) for item in answer]
    typer.echo(json.dumps(items, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a terminal; for a pipe one line a row, tabs between the fields, no heading."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(one_line(field) for field in row))
        return
    table = Table(*columns, header_style="bold", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(one_line(field)) for field in row))
    console().print(table)


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Name and value, one pair a line."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        text = one_line(value)
        if sys.stdout.isatty():
            console().print(Text(name.ljust(width), style="bold"), Text(text))
        else:
            typer.echo(f"{name}\t{text}")


def warn(text: str) -> None:
    """Say something that must be seen, beside the answer."""
    shown = "\n".join(one_line(line) for line in text.split("\n"))
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(shown, style="yellow"))


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; without a terminal there is nobody to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CannotActError(f"{question} Nobody can be asked here: give --yes to go on")
    # On standard error: the answer alone goes into a pipe.
    if not typer.confirm(one_line(question), err=True):
        raise typer.Abort


def refuse_lost_secret(key_file: Path | None) -> None:
    """Refuse before anything is made where the printed key would end in a pipe or a log."""
    if key_file is None and not sys.stdout.isatty():
        raise CannotActError("the printed key is shown to a terminal only: name a new file with --key-file")
    if key_file is not None and os.path.lexists(key_file):
        raise CannotActError(f"{key_file} exists already: name a new file with --key-file")
    if key_file is not None and not os.access(key_file.absolute().parent, os.W_OK):
        raise CannotActError(f"{key_file} cannot be written: name a file in a folder that you can write to")


def deliver_secret(printed: str | None, key_file: Path | None) -> None:
    """Show the printed key once, or write it to a file only its owner can read."""
    if printed is None:
        warn("The call was a repeat: the key's secret was given the first time, and nowhere else.")
    elif key_file is not None:
        write_private(key_file, printed + "\n")
        warn(f"The printed key is in {key_file} (0600). It is nowhere else.")
    else:
        console().print(Text("\n" + printed + "\n", style="bold green"))
        warn("This is the only time it is shown.")


def when(at: datetime | None) -> str:
    """A time for people."""
    return "never" if at is None else at.strftime("%Y-%m-%d %H:%M UTC")


def one_line(text: str) -> str:
    """Nothing that came from elsewhere may move the cursor or forge a line."""
    return "".join(character if character.isprintable() else " " for character in text)
