"""Real processes for journeys: a home folder, and `scopekey serve` over it, ended by its own process id."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_WITHIN = 30.0
STOP_WITHIN = 15.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a fresh user: nothing of Scopekey's but the home folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SCOPEKEY_")}
    return plain | {"SCOPEKEY_HOME": str(home)} | more


def scopekey(*words: str, home: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [sys.executable, "-m", "scopekey", *words]
    return subprocess.run(
        command, env=environment(home), text=True, capture_output=True, timeout=60, check=False, **more
    )


@contextmanager
def running(
    command: list[str], home: Path, port: int, *, ready: bool = True, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; SIGTERM must be enough to end it. `ready`: wait until it answers checks."""
    process = subprocess.Popen(command, env=environment(home, **more), cwd=Path(__file__).parent)
    try:
        _wait_ready(process, port, ready=ready)
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs; SIGTERM must be enough. Raises TimeoutExpired, and kills it, where it is not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


@contextmanager
def serve(home: Path, *, workers: int = 1, port: int = 0, **more: str) -> Iterator[int]:
    """`scopekey serve` on a free port of loopback."""
    port = port or free_port()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port), "--workers", str(workers)]
    with running(command, home, port, **more):
        yield port


@contextmanager
def gateway(
    home: Path, upstream: str, *, workers: int = 1, ready: bool = True, **more: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`scopekey gateway` on a free port of loopback, as (port, process). `more` are further settings."""
    port = free_port()
    command = [sys.executable, "-m", "scopekey", "gateway", "--upstream", upstream, "--port", str(port)]
    with running([*command, "--workers", str(workers)], home, port, ready=ready, **more) as process:
        yield port, process


def leader_of(replica: Path) -> int:
    """The process that follows for a replica: whoever holds its lock."""
    inode = (replica / "follower.lock").stat().st_ino
    held = [line.split() for line in Path("/proc/locks").read_text().splitlines() if f":{inode} " in line]
    return int(held[0][4])


def _wait_ready(process: subprocess.Popen[bytes], port: int, *, ready: bool) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            connection = Connection(port)
        except OSError:
            time.sleep(0.05)
            continue
        try:
            if connection.ready() or not ready:
                return
        finally:
            connection.close()
    raise AssertionError("the server did not become ready")


class Connection:
    """One kept-alive connection, which one worker answers for as long as it lives."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._http.connect()
        self._socket = self._http.sock

    def request(self, method: str, path: str, key: str = "", body: Any = None) -> tuple[int, Any]:
        """Make a request on this very connection. Raises AssertionError if it was not kept alive."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        content = None if body is None else json.dumps(body).encode()
        self._http.request(method, path, content, headers | {"Content-Type": "application/json"})
        response = self._http.getresponse()
        read = response.read()
        assert self._http.sock is self._socket, "the connection was not kept alive"
        return response.status, json.loads(read) if read else None

    def ready(self) -> bool:
        return self.request("GET", "/readyz")[0] == 200

    def worker(self) -> int:
        """The process that answers on this connection."""
        worker: int = self.request("GET", "/readyz")[1]["worker"]
        return worker

    def close(self) -> None:
        self._http.close()


def one_for_each_worker(port: int, workers: int) -> dict[int, Connection]:
    """Open connections until every worker answers one of them; some start later than others."""
    found: dict[int, Connection] = {}
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        connection = Connection(port)
        worker = connection.worker()
        if worker in found:
            connection.close()
        else:
            found[worker] = connection
        if len(found) == workers:
            return found
    for connection in found.values():
        connection.close()
    raise AssertionError(f"only {len(found)} of {workers} workers ever answered")
