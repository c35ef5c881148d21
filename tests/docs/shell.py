"""Runs a page's commands: in a folder of its own, with the package's commands on the path and ports that are free."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRITTEN_PORT = "8000"
"""The port that pages write; another that is free takes its place while they are run."""


class Shell:
    """Runs commands one by one. One that ends in `&` goes on until the shell is closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = str(free_port())
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self, command: str) -> str:
        """Run a command and give what it prints, errors included."""
        command = command.replace(WRITTEN_PORT, self._port)
        if command.endswith("&"):
            self._start(command.removesuffix("&"))
            return ""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode()).replace(self._port, WRITTEN_PORT)

    def close(self) -> None:
        """End what goes on running."""
        for process in self._running:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)

    def _start(self, command: str) -> None:
        log = self._folder / "background.log"
        with log.open("ab") as written:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self._folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,
            )
        self._running.append(process)
        ends = time.monotonic() + 30
        while not answers(int(self._port)):
            said = log.read_text()
            assert process.poll() is None, f"{command} ended: {said}"
            assert time.monotonic() < ends, f"{command} does not listen: {said}"
            time.sleep(0.02)


def environment() -> dict[str, str]:
    """Nothing of the machine's own Scopekey settings, and a terminal wide enough for every line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCOPEKEY_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}", "COLUMNS": "120"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
