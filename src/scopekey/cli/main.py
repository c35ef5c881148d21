"""The command line, joined: commands, and one place where every failure becomes one clear line."""

import sys

import typer
from pydantic import ValidationError

from scopekey.cli import catalog, db, keys, organizations, pepper, rules
from scopekey.cli.acting import CannotActError
from scopekey.cli.check import check
from scopekey.cli.demo import demo
from scopekey.cli.init import init
from scopekey.cli.output import warn
from scopekey.cli.serve import serve
from scopekey.client.management import UnreachableError
from scopekey.core.problem import ProblemError
from scopekey.server.node import StartRefusedError
from scopekey.settings import MissingSecretError
from scopekey.store.errors import SchemaError, StoreUnavailableError
from scopekey.wire.toml_file import FileError

REFUSED, COULD_NOT = 1, 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Issue, enforce, audit and keep narrowing scoped API keys.",
)
app.command()(init)
app.command()(serve)
app.command()(demo)
app.command()(check)
for name, group in (
    ("keys", keys.app),
    ("organizations", organizations.app),
    ("rules", rules.app),
    ("catalog", catalog.app),
    ("pepper", pepper.app),
    ("db", db.app),
):
    app.add_typer(group, name=name)


def run() -> None:
    """Run a command; what goes wrong is said on standard error, and ends with 1 (refused) or 2 (could not)."""
    try:
        app()
    except ProblemError as error:
        _end(f"{error.problem.title}: {error.detail}", REFUSED)
    except ValidationError as error:
        first = error.errors()[0]
        _end(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}", COULD_NOT)
    except (
        CannotActError,
        FileError,
        MissingSecretError,
        SchemaError,
        StartRefusedError,
        StoreUnavailableError,
        UnreachableError,
        OSError,
        ValueError,
    ) as error:
        _end(str(error), COULD_NOT)


def _end(message: str, code: int) -> None:
    warn(message)
    sys.exit(code)
