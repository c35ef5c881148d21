"""Servers to be measured: each a process of its own on 127.0.0.1, on another core than the load where there are two."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.companion import ROOT, CompanionError

HOST = "127.0.0.1"
_STARTS_WITHIN, _ENDS_WITHIN = 30.0, 15.0


def cores() -> tuple[int, int]:
    """The core of servers and the core of the load; the same one where there is only one."""
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    return available[0], available[-1]


def pin(core: int) -> None:
    """Keep this process, and what it starts, on one core; where the system cannot, nothing is done."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


@contextmanager
def serving(command: Callable[[str], list[str]], *, pinned: bool = True, **environment: str) -> Iterator[int]:
    """Run a server; `command` is given `host:port`. Gives its port once it takes connections.

    `pinned`: keep it on the core of servers. Where it is several processes, it may use all of them.
    Raises CompanionError, with the server's last words, where it does not start.
    """
    port = _free_port()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command(f"{HOST}:{port}"),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=ROOT,
            env={**os.environ, **environment},
            preexec_fn=lambda: pin(cores()[0]) if pinned else None,  # noqa: PLW1509 - no other thread runs while servers are started
        )
        try:
            if not _answers(process, port):
                said.seek(0)
                raise CompanionError(f"a server did not start: {said.read().decode(errors='replace')[-500:].strip()}")
            yield port
        finally:
            process.terminate()
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
