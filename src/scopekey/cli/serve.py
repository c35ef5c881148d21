"""``scopekey serve``: the control plane, as one process that watches and several that work."""

import os
import sys
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
    set_for_workers(HOST=host, PORT=port, WORKERS=workers)
    # Opened once here, so that a wrong setting is one clear message instead of one from every worker.
    with home() as node:
        settings: Settings = node.settings
    run_server("scopekey.server.app:create_app", settings, "Scopekey listens")


def set_for_workers(**given: object) -> None:
    """Hand options on to the worker processes, which read their settings from the environment."""
    for name, value in given.items():
        if value is not None:
            os.environ[f"SCOPEKEY_{name}"] = str(value)


def run_server(factory: str, settings: Settings, what: str, *beside: object) -> None:
    """Run workers, and other jobs beside them, until somebody ends it."""
    from scopekey.cli.processes import Job, listen, supervise, workers

    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        raise CannotActError(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}): "
            "name another with --host and --port"
        ) from error
    host, port = listener.getsockname()[:2]
    warn(f"{what} on http://{host}:{port} with {settings.workers} worker(s).")
    jobs = [*workers(factory, listener, settings.workers), *(job for job in beside if isinstance(job, Job))]
    code = supervise(jobs)
    listener.close()
    if code:
        sys.exit(code)
