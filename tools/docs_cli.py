"""The command line's page, from the Typer application: every command, argument and option."""

from collections.abc import Iterator
from typing import Any

import typer

from scopekey.cli.main import app
from tools.docs_text import code, first_paragraph, page, table

ABOUT = """Without `SCOPEKEY_URL` a command acts on the home folder: as the key in `SCOPEKEY_API_KEY`, else as the
machine; `--local` forces the machine. With `SCOPEKEY_URL` it calls the management API there with the key in
`SCOPEKEY_API_KEY`.

People get tables and colour, pipes get plain lines with tabs between the fields, `--json` gives JSON. A secret is
never taken as an argument and is shown to a terminal only; elsewhere name a file with `--key-file`. A command ends
with 0, with 1 when it was refused, with 2 when it could not be carried out."""


def pages() -> dict[str, str]:
    """The page: a heading for each command."""
    found = list(commands())
    rows = [(f"[`scopekey {name}`](#scopekey-{name.replace(' ', '-')})", help_of(command)) for name, command in found]
    parts = [_command(name, command) for name, command in found]
    text = page("Command line", "`src/scopekey/cli`", ABOUT, table(("command", "does"), rows), *parts)
    return {"docs/reference/cli.md": text}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its name, in the order in which `--help` names them."""
    group: Any = typer.main.get_command(app)
    yield from _below(group, "")


def _below(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            # A group that does something of its own is a command too.
            if command.invoke_without_command:
                yield prefix + name, command
            yield from _below(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


def help_of(command: Any) -> str:
    """What a command does."""
    return first_paragraph(command.help)


def _command(name: str, command: Any) -> str:
    parameters = [parameter for parameter in command.params if parameter.name != "help"]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option"]
    usage = " ".join(("scopekey", name, *map(_shown, arguments), *(["[OPTIONS]"] if options else [])))
    parts = (
        f"## scopekey {name}",
        help_of(command),
        f"```text\n{usage}\n```",
        table(("argument", "is"), [(code(_shown(a)), a.help or "") for a in arguments]),
        table(("option", "default", "does"), [(_spelled(o), _default(o), o.help or "") for o in options]),
    )
    return "\n\n".join(part for part in parts if part)


def _shown(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _spelled(option: Any) -> str:
    return ", ".join(f"`{spelling}`" for spelling in (*option.opts, *option.secondary_opts))


def _default(option: Any) -> str:
    if option.required:
        return "required"
    return f"`{option.default}`" if option.default not in {None, False} else ""
