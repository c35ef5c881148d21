"""The processes of a server: one that watches, and those that work. Whatever dies is started again.

The watching process opens no replica and no store: a file that is cut under a worker ends that worker
(LMDB reads by mapping), and must not end the one that starts it again.
"""

import errno
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import uvicorn

from scopekey.cli.logs import Form, configure_logs

_log = logging.getLogger(__name__)

CANNOT_START = 3
"""What a process ends with where starting it again would not help (uvicorn's own number for it)."""
GRACE = 35.0
"""Seconds for what was started to be finished; a little more than a worker gives its requests."""
_REQUESTS_GRACE = 30
_SETTLED, _LONGEST_WAIT = 10.0, 5.0
_CONTEXT = multiprocessing.get_context("spawn")


class Job:
    """One process, started again whenever it ends: at once, and after ever longer waits where it ends at once too."""

    def __init__(self, name: str, target: Callable[..., None], *arguments: Any, last: bool = False) -> None:
        """`last` ends after the others have: for what takes over what they leave."""
        self.name = name
        self.last = last
        self._target = target
        self._arguments = arguments
        self._wait = 0.0
        self.process: SpawnProcess | None = None
        self.due: float = 0.0
        self.started: float = 0.0

    def start(self, log_format: Form = "text") -> None:
        """Start it."""
        self.process = _CONTEXT.Process(
            target=run_job, args=(log_format, self._target, *self._arguments), name=self.name
        )
        self.process.start()
        self.started = time.monotonic()

    def ended(self) -> int:
        """Note that it ended, and when it is to be started again. Gives how it ended."""
        process, self.process = self.process, None
        assert process is not None  # noqa: S101 - only a running one ends
        process.join()
        lived = time.monotonic() - self.started
        self._wait = 0.0 if lived > _SETTLED else min(2 * self._wait + 0.1, _LONGEST_WAIT)
        self.due = time.monotonic() + self._wait
        return process.exitcode or 0


def run_job(log_format: Form, target: Callable[..., None], *arguments: Any) -> None:
    """What each process runs: its job, and logs in the same form."""
    configure_logs(log_format)
    try:
        target(*arguments)
    except Exception as error:  # noqa: BLE001 - logged without its message, which multiprocessing would print
        # What Scopekey itself says was written for whoever runs it; other words could hold anything.
        said = str(error) if type(error).__module__.startswith("scopekey.") else "see where it broke"
        _log.critical("the process cannot go on: %s", said, exc_info=True)
        raise SystemExit(1) from None


def supervise(jobs: Sequence[Job], log_format: Form = "text") -> int:
    """Run until SIGTERM or SIGINT, or until a process says that it cannot start; gives the exit code."""
    reader, writer = os.pipe()

    def asked_to_stop(_: int, __: Any) -> None:
        os.write(writer, b".")

    previous = {number: signal.signal(number, asked_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return _watch(jobs, reader, log_format)
    finally:
        _end(jobs)
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def _watch(jobs: Sequence[Job], stop: int, log_format: Form) -> int:
    while True:
        now = time.monotonic()
        for job in jobs:
            if job.process is None and job.due <= now:
                job.start(log_format)
        running = {job.process.sentinel: job for job in jobs if job.process is not None}
        next_due = min((job.due - now for job in jobs if job.process is None), default=None)
        ready = wait([*running, stop], next_due)
        if stop in ready:
            return 0
        for sentinel in ready:
            job = running[int(sentinel)]  # type: ignore[arg-type]
            code = job.ended()
            if code == CANNOT_START:
                return CANNOT_START
            _log.warning("the %s process ended (%s) and is started again", job.name, _how(code))


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _end(jobs: Sequence[Job]) -> None:
    for last in (False, True):
        _end_all([job.process for job in jobs if job.process is not None and job.last is last])


def _end_all(running: Sequence[SpawnProcess]) -> None:
    for process in running:
        process.terminate()
    given_up = time.monotonic() + GRACE
    for process in running:
        process.join(max(0.0, given_up - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()


def workers(factory: str, listeners: Sequence[socket.socket], number: int) -> list[Job]:
    """So many processes that serve the ASGI application of a factory, `module:name`, on the same sockets."""
    return [Job(f"worker {at + 1}", serve_worker, factory, *listeners) for at in range(number)]


def serve_worker(factory: str, *listeners: socket.socket) -> None:
    """What each worker runs."""
    config = uvicorn.Config(
        factory,
        factory=True,
        http="httptools",
        loop="uvloop",
        # The peer is the socket's: with proxy headers on, any client could choose its own address.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        # Through the one handler of this process.
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=_REQUESTS_GRACE,
    )
    end_with_parent()
    server = _Server(config)
    server.run(sockets=list(listeners))
    if not server.started:
        raise SystemExit(CANNOT_START)


class _Server(uvicorn.Server):
    """Ends streams that are held open before it waits for requests to be finished."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        drain = getattr(self.config.loaded_app, "drain", None)
        if drain is not None:
            drain()
        await super().shutdown(sockets)


def end_with_parent() -> None:
    """Let this process end when the one that started it was killed: nobody would end it any more."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="scopekey-parent", daemon=True).start()


def listen_unix(path: Path) -> socket.socket:
    """The Unix socket that all workers share; its file may be opened by its owner and group.

    What a server left behind that is no longer there is removed. Raises OSError, also where one still listens.
    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            try:
                other.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise OSError(errno.EADDRINUSE, "another server listens there")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Whoever can open it is trusted: it must not be open to everybody for a moment either.
    before = os.umask(0o117)
    try:
        listener.bind(str(path))
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.set_inheritable(True)
    return listener


def listen(host: str, port: int) -> socket.socket:
    """The socket that all workers share. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener
