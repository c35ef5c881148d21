"""``scopekey gateway``: a data plane alone, that answers from a replica it keeps by following a control plane.

What is said about one stands in commands below it: ``scopekey gateway config``.
"""

import logging
from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError
from scopekey.cli.gateway_config import config
from scopekey.cli.serve import run_server, set_for_workers
from scopekey.settings import Settings

app: typer.Typer = typer.Typer(invoke_without_command=True)
app.command()(config)


@app.callback()
def gateway(
    context: typer.Context,
    upstream: Annotated[str | None, typer.Option(help="The control plane, or a gateway that relays it.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    unix: Annotated[Path | None, typer.Option("--socket", help="A Unix socket to listen on too.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes answer.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="The file of the key for the upstream; else SCOPEKEY_API_KEY.")
    ] = None,
    replace_replica: Annotated[
        bool, typer.Option("--replace-replica", help="Let another deployment's feed take the place of the replica.")
    ] = False,
) -> None:
    """Check keys from a local replica, whether the control plane is up or not. Ctrl-C or SIGTERM drains and ends."""
    if context.invoked_subcommand is not None:
        return
    from scopekey.cli.logs import announce, configure_logs
    from scopekey.cli.processes import Job
    from scopekey.gateway.following import look_ahead
    from scopekey.gateway.home import StartRefusedError

    set_for_workers(UPSTREAM=upstream, HOST=host, PORT=port, SOCKET=unix, WORKERS=workers, KEY_FILE=key_file)
    settings = Settings()
    configure_logs(settings.log_format)
    try:
        away = look_ahead(settings, replace=replace_replica)
    except StartRefusedError as error:
        raise CannotActError(str(error)) from error
    if away is not None:
        announce(away, settings.log_format, logging.WARNING)
    following = Job("follower", _follow, replace_replica, last=True)
    run_server(
        "scopekey.gateway.app:create_app",
        settings,
        f"Scopekey's gateway, following {settings.upstream}, listens",
        following,
    )


def _follow(replace: bool) -> None:
    from scopekey.cli.processes import end_with_parent
    from scopekey.gateway.following import follow

    end_with_parent()
    follow(replace=replace)
