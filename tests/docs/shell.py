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
PACKAGE = ROOT / "clients" / "typescript"
MODULES = PACKAGE / "node_modules"
WRITTEN_PORT = re.compile(r"\b(?:800[0-9]|8701)\b")
"""The ports that pages write, `8000` where a command names none; others that are free take their places."""
KILL = re.compile(r"kill %([1-9])")


class Shell:
    """Runs commands one by one. One that ends in `&` goes on until `kill %n`, or until the shell is closed.

    Each has a shell of its own, with all that was exported before.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports: dict[str, str] = {}
        self._running: list[subprocess.Popen[bytes]] = []
        self._exports = ""

    def real(self, text: str) -> str:
        """Put the ports that are used in the places of those that are written."""
        return WRITTEN_PORT.sub(lambda found: self._port(found[0]), text)

    def written(self, text: str) -> str:
        """The other way round."""
        for written, port in self._ports.items():
            text = text.replace(port, written)
        return text

    def run(self, command: str) -> str:
        """Run a command and give what it prints, errors included."""
        if command.endswith("&"):
            self._start(command.removesuffix("&"))
            return ""
        if ended := KILL.fullmatch(command):
            _end(self._running[int(ended[1]) - 1])
            return ""
        command = self.real(command)
        if command.startswith("export "):
            self._exports += f"{command}\n"
        done = subprocess.run(
            ["bash", "-c", self._exports + command],
            cwd=self._folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return self.written(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode()))

    def close(self) -> None:
        """End what goes on running."""
        for process in reversed(self._running):
            _end(process)

    def _port(self, written: str) -> str:
        # The demo takes the port after its own, too.
        return self._ports.setdefault(written, str(free_port(and_next=True)))

    def _start(self, command: str) -> None:
        named = re.search(rf"--port ({WRITTEN_PORT.pattern})", command)
        port = int(self._port(named[1] if named else "8000"))
        command = self.real(command)
        log = self._folder / "background.log"
        with log.open("ab") as written:
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {command}"],
                cwd=self._folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,
            )
        self._running.append(process)
        ends = time.monotonic() + 30
        while not answers(port):
            said = log.read_text()
            assert process.poll() is None, f"{command} ended: {said}"
            assert time.monotonic() < ends, f"{command} does not listen: {said}"
            time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def environment() -> dict[str, str]:
    """Nothing of the machine's own Scopekey settings, and a terminal wide enough for every line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCOPEKEY_")}
    # Debian keeps servers where an ordinary user's path does not look.
    mine = (str(Path(sys.executable).parent), str(MODULES / ".bin"))
    path = os.pathsep.join((*mine, kept["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin"))
    return kept | {"PATH": path, "COLUMNS": "120"}


def free_port(*, and_next: bool = False) -> int:
    with socket.socket() as listener, socket.socket() as beside:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        try:
            if and_next:
                beside.bind(("127.0.0.1", port + 1))
        except (OSError, OverflowError):
            return free_port(and_next=True)
        return port


def install_packages(folder: Path) -> None:
    """What `npm install` of the package, and of the frameworks that pages guard, puts into a folder: links to ours."""
    built = PACKAGE / "dist" / "index.js"
    newest = max(file.stat().st_mtime for file in (PACKAGE / "src").rglob("*.ts"))
    if not built.exists() or built.stat().st_mtime < newest:
        subprocess.run(["npm", "run", "build", "--silent"], cwd=PACKAGE, check=True, timeout=120)
    (folder / "node_modules" / "@hono").mkdir(parents=True)
    (folder / "node_modules" / "scopekey").symlink_to(PACKAGE)
    for name in ("express", "fastify", "hono", "@hono/node-server"):
        (folder / "node_modules" / name).symlink_to(MODULES / name)


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
