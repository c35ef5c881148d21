"""Applications on real servers, each started once for all cases, and ended by its own process id."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.attacks.wire import exchange
from tests.journeys.serving import START_WITHIN, end, free_port

ROOT = Path(__file__).parents[2]
APPS = "tests.attacks.fronts"
# Not ours: whoever is believed there, it is not the attacker on loopback.
NOBODY = "192.0.2.1"

UVICORN = ("uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log", "--loop", "uvloop")
GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}", "--no-control-socket", "--workers", "1")
SERVERS: Mapping[str, tuple[str, ...]] = {
    "uvicorn httptools": (*UVICORN, "--http", "httptools", "--no-proxy-headers"),
    "uvicorn h11": (*UVICORN, "--http", "h11", "--no-proxy-headers"),
    "gunicorn asgi": (*GUNICORN, "--worker-class", "asgi", "--forwarded-allow-ips", NOBODY),
    "uvicorn believing": (*UVICORN, "--http", "httptools", "--proxy-headers", "--forwarded-allow-ips", "*"),
    "gunicorn asgi believing": (*GUNICORN, "--worker-class", "asgi", "--forwarded-allow-ips", "*"),
    "gunicorn sync": (*GUNICORN, "--worker-class", "sync", "--forwarded-allow-ips", NOBODY),
    "gunicorn gthread": (*GUNICORN, "--worker-class", "gthread", "--threads", "2", "--forwarded-allow-ips", NOBODY),
    "gunicorn believing": (*GUNICORN, "--worker-class", "gthread", "--threads", "2", "--forwarded-allow-ips", "*"),
    "waitress": ("waitress", "--listen", "127.0.0.1:{port}"),
}


class Running(msgspec.Struct, frozen=True):
    """A front that answers on a port of loopback; `folder` holds its trace and what its processes print."""

    port: int
    folder: Path

    @property
    def trace(self) -> Path:
        """Where its applications write what they record and serve."""
        return self.folder / "trace"

    def printed(self) -> bytes:
        """All that its processes printed and logged so far."""
        return b"".join(file.read_bytes() for file in sorted(self.folder.rglob("*.log")))


@contextmanager
def serving(folder: Path, server: str, app: str) -> Iterator[Running]:
    """Run one application on one server until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", *(word.format(port=port) for word in SERVERS[server]), f"{APPS}.{app}:app"]
    running = Running(port, folder)
    with started(command, running, app):
        yield running


@contextmanager
def started(command: list[str], running: Running, name: str) -> Iterator[None]:
    """Run a command until the block ends; it is ready when it answers anything."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SCOPEKEY_", "GUNICORN_"))}
    with (running.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment | {"ATTACK_TRACE": str(running.trace)}, stdout=log, stderr=log
        )
    try:
        _wait_until_it_listens(process, running)
        yield
    finally:
        end(process)


def _wait_until_it_listens(process: subprocess.Popen[bytes], running: Running) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it ended with {process.returncode}: {running.printed().decode()}"
        try:
            if exchange(running.port, b"").statuses:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"it did not answer: {running.printed().decode()}")
