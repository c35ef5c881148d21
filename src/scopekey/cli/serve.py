"""``scopekey serve``: the control plane, as one process that watches, several that work, and one that keeps the log."""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError, home
from scopekey.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    unix: Annotated[Path | None, typer.Option("--socket", help="A Unix socket to listen on too.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes.")] = None,
) -> None:
    """Serve the management API. Ctrl-C or SIGTERM finishes what was started, then ends."""
    set_for_workers(HOST=host, PORT=port, SOCKET=unix, WORKERS=workers)
    # Opened once here, so that a wrong setting is one clear message instead of one from every worker.
    with home() as node:
        settings: Settings = node.settings
    from scopekey.cli.processes import Job

    run_server("scopekey.server.app:create_app", settings, "Scopekey listens", Job("keeper", _keep, last=True))


def _keep() -> None:
    from scopekey.cli.processes import end_with_parent
    from scopekey.server.keeping import keep

    end_with_parent()
    keep()


def set_for_workers(**given: object) -> None:
    """Hand options on to the worker processes, which read their settings from the environment."""
    for name, value in given.items():
        if value is not None:
            os.environ[f"SCOPEKEY_{name}"] = str(value)


def run_server(factory: str, settings: Settings, what: str, *beside: object) -> None:
    """Run workers, and other jobs beside them, until somebody ends it."""
    from scopekey.cli.logs import announce, configure_logs
    from scopekey.cli.processes import Job, supervise, workers
    from scopekey.enforce.doors.run import begin_run, end_run

    listeners = _listeners(settings)
    host, port = listeners[0].getsockname()[:2]
    also = f" and on {settings.socket}" if settings.socket else ""
    configure_logs(settings.log_format)
    announce(f"{what} on http://{host}:{port}{also} with {settings.workers} worker(s).", settings.log_format)
    jobs = [*workers(factory, listeners, settings.workers), *(job for job in beside if isinstance(job, Job))]
    begin_run(settings.home)
    try:
        code = supervise(jobs, settings.log_format)
    finally:
        end_run(settings.home)
        for listener in listeners:
            listener.close()
        if settings.socket:
            settings.socket.unlink(missing_ok=True)
    if code:
        sys.exit(code)


def _listeners(settings: Settings) -> list[socket.socket]:
    from scopekey.cli.processes import listen, listen_unix

    try:
        listeners = [listen(settings.host, settings.port)]
    except OSError as error:
        raise CannotActError(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}): "
            "name another with --host and --port"
        ) from error
    if settings.socket:
        try:
            listeners.append(listen_unix(settings.socket))
        except OSError as error:
            listeners[0].close()
            raise CannotActError(
                f"the Unix socket {settings.socket} cannot be listened on ({error.strerror or error}): "
                "name another with --socket, or end the server that has it"
            ) from error
    return listeners
