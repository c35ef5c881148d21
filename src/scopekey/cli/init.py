"""``scopekey init``: the home folder, the operator, the first key."""

from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError
from scopekey.cli.output import KeyFile, deliver_secret, refuse_lost_secret, warn
from scopekey.settings import Settings


def init(
    operator: Annotated[str, typer.Option(help="The name of the operator's organization.")] = "Operator",
    key_file: KeyFile = None,
) -> None:
    """Make the home folder: store, pepper, signing key, the operator's organization and the first key."""
    from scopekey.server.beginning import begin
    from scopekey.server.node import StartRefusedError

    refuse_lost_secret(key_file)
    settings = Settings()
    try:
        printed = begin(settings, operator=operator)
    except StartRefusedError as error:
        raise CannotActError(str(error)) from error
    deliver_secret(printed, key_file)
    warn(f"The home folder is {settings.home}. Keep its `pepper` and `signing_key` safe, apart from the database.")
    if settings.catalog is None:
        warn("No catalog was given (SCOPEKEY_CATALOG): add one with `scopekey catalog apply catalog.toml`.")
