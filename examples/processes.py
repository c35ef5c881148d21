"""Several programs that belong together, for the examples behind a proxy: started in their order, ended as one."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def together() -> Iterator[list[subprocess.Popen[bytes]]]:
    """End everything that was started in the block, also when this program is told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    started: list[subprocess.Popen[bytes]] = []
    try:
        yield started
        started[-1].wait()
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def start(*command: str, socket: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a program, and wait for the Unix socket that it listens on."""
    process = subprocess.Popen(command)  # noqa: S603 - the commands are the examples' own
    while socket is not None and not socket.exists() and process.poll() is None:
        time.sleep(0.05)
    return process


def write(folder: Path, proxy: str, *files: str, port: str) -> None:
    """Write a proxy's configuration into a folder, where the API and Scopekey have their sockets too."""
    where = ["--api", f"unix:{folder}/api.sock", "--gateway", f"unix:{folder}/check.sock", "--state", str(folder)]
    for file in files:
        config = ["scopekey", "gateway", "config", proxy, "--file", file, "--listen", f"127.0.0.1:{port}", *where]
        (folder / file).write_bytes(subprocess.check_output(config))  # noqa: S603 - the same
