"""The command line, joined: commands, and one place where every failure becomes one clear line."""

import io
import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import ValidationError

import scopekey
from scopekey.cli import audit, catalog, db, gateway, keys, organizations, pepper, rules
from scopekey.cli.acting import CannotActError
from scopekey.cli.check import check
from scopekey.cli.demo import demo
from scopekey.cli.init import init
from scopekey.cli.output import warn
from scopekey.cli.over_http import NoAnswerError
from scopekey.cli.serve import serve
from scopekey.client.errors import UnreachableError
from scopekey.core.keyformat import BODY_LENGTH
from scopekey.core.problem import ProblemError
from scopekey.settings import MissingSecretError
from scopekey.store.errors import SchemaError, StoreUnavailableError
from scopekey.wire.toml_file import FileError

REFUSED, COULD_NOT = 1, 2

PRINTED = re.compile(rf"[a-z0-9]{{2,12}}_[a-z0-9]{{2,16}}_[0-9A-Za-z]{{{BODY_LENGTH}}}")
"""A printed key of any deployment."""
EXTRAS = {"duckdb": "demo", "python_multipart": "demo", "multipart": "demo", "psycopg": "postgres"}
"""Which extra brings a package; all others that may be missing come with [server], or with [gateway] for a gateway."""

app: typer.Typer = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Boxes and colour are for people; a pipe gets plain lines.
    rich_markup_mode="rich" if sys.stdout.isatty() and sys.stderr.isatty() else None,
    help="Issue, enforce, audit and keep narrowing scoped API keys.",
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"scopekey {scopekey.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Issue, enforce, audit and keep narrowing scoped API keys."""


app.command()(init)
app.command()(serve)
app.add_typer(gateway.app, name="gateway")
app.command()(demo)
app.command()(check)
app.add_typer(keys.app, name="keys")
app.add_typer(organizations.app, name="organizations")
app.add_typer(rules.app, name="rules")
app.add_typer(catalog.app, name="catalog")
app.add_typer(audit.app, name="audit")
app.add_typer(pepper.app, name="pepper")
app.add_typer(db.app, name="db")


def run() -> None:
    """Run a command; what goes wrong is said on standard error, and ends with 1 (refused) or 2 (could not)."""
    for stream in (sys.stdout, sys.stderr):
        # A name or a mark that the terminal's encoding lacks is shown escaped; it must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        _refuse_printed_keys(sys.argv[1:])
        app()
    except ProblemError as error:
        _end(f"{error.problem.title}: {error.detail}", REFUSED)
    except ValidationError as error:
        first = error.errors()[0]
        _end(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}", COULD_NOT)
    except ModuleNotFoundError as error:
        if (error.name or "scopekey").partition(".")[0] == "scopekey":
            raise
        _end(missing_extra(error.name or "", *sys.argv[1:2]), COULD_NOT)
    except (
        CannotActError,
        FileError,
        MissingSecretError,
        SchemaError,
        StoreUnavailableError,
        NoAnswerError,
        UnreachableError,
        ValueError,
    ) as error:
        _end(str(error), COULD_NOT)
    except OSError as error:
        _end(f"{error.filename}: {error.strerror}" if error.filename else str(error), COULD_NOT)


def missing_extra(package: str, command: str = "") -> str:
    """Say which extra brings a package that is not installed, for a command."""
    extra = EXTRAS.get(package.partition(".")[0], "gateway" if command == "gateway" else "server")
    if (extra, command) == ("demo", "audit"):
        extra = "parquet"
    return f"this needs {package}, which is not installed: pip install 'scopekey[{extra}]'"


def _refuse_printed_keys(words: Sequence[str]) -> None:
    """Whatever the command: other people of this machine can read arguments, and a usage error would repeat them."""
    if any(PRINTED.search(word) for word in words):
        raise CannotActError(
            "a printed key is never taken as an argument, where other people of this machine could read it: "
            "name the key by its id (key_…), or give `check` - and the key on standard input. "
            "If the command line is kept in a history, rotate the key"
        )


def _end(message: str, code: int) -> None:
    warn(message)
    sys.exit(code)
