"""``scopekey serve``: the control plane, as one process or several workers."""

import os
import socket
from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError, home
from scopekey.cli.output import warn
from scopekey.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes.")] = None,
) -> None:
    """Serve the management API. Ctrl-C or SIGTERM finishes what was started, then ends."""
    import uvicorn

    for name, value in (("HOST", host), ("PORT", port), ("WORKERS", workers)):
        if value is not None:
            os.environ[f"SCOPEKEY_{name}"] = str(value)
    # Opened once here, so that a wrong setting is one clear message instead of one from every worker.
    with home() as node:
        settings: Settings = node.settings
    _refuse_taken(settings.host, settings.port)
    warn(f"Scopekey listens on http://{settings.host}:{settings.port} with {settings.workers} worker(s).")
    uvicorn.run(
        "scopekey.server.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http="httptools",
        loop="uvloop",
        # The peer is the socket's: with proxy headers on, any client could choose its own address.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=30,
    )


def _refuse_taken(host: str, port: int) -> None:
    """Try the address here: from a worker the same failure would be a line in a log."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise CannotActError(
            f"{host}:{port} cannot be listened on ({error.strerror}): name another with --host and --port"
        ) from error
