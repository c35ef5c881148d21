"""The apps, run as people run them: each on a server that is used in production."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.journeys.routed.raw_client import RawClient
from tests.journeys.routed.routes import ROUTES
from tests.journeys.serving import START_WITHIN, STOP_WITHIN, free_port

ROOT = Path(__file__).parents[3]
EXPRESS = Path(__file__).parents[1] / "express"
APPS = "tests.journeys.routed"
COMMANDS = {
    "starlette": [
        "uvicorn",
        "--log-level",
        "error",
        "--host",
        "127.0.0.1",
        "--port",
        "{port}",
        f"{APPS}.starlette_app:app",
    ],
    "flask": ["waitress", "--listen", "127.0.0.1:{port}", f"{APPS}.flask_app:app"],
    "django": [
        *("gunicorn", "--log-level", "error", "--worker-class", "gthread", "--threads", "1", "--no-control-socket"),
        *("--bind", "127.0.0.1:{port}", f"{APPS}.django_app:app"),
    ],
}
NAMES = (*COMMANDS, "express", "express4")


@contextmanager
def serving(name: str, settings: str = "agreeing") -> Iterator[RawClient]:
    """Run the app of a framework until the block ends."""
    port = free_port()
    process = subprocess.Popen(
        _command(name, port, settings),
        cwd=ROOT,
        env=os.environ | {"ROUTES": "\n".join(ROUTES)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _answering(process, port)
    finally:
        process.terminate()
        process.wait(STOP_WITHIN)


def _command(name: str, port: int, settings: str) -> list[str]:
    if name in COMMANDS:
        return [sys.executable, "-m", *(word.format(port=port) for word in COMMANDS[name])]
    return ["node", str(EXPRESS / "app.js"), str(modules()), name.removeprefix("express") or "5", str(port), settings]


def modules() -> Path:
    """The folder with what the lock file names, installed once for each content it has."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("Express needs node and npm, which are not on the path")
    lock = (EXPRESS / "package-lock.json").read_bytes()
    folder = ROOT / ".pytest_cache" / f"express-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    # Made aside and moved in whole: another process may be at the same.
    with TemporaryDirectory(dir=folder.parent) as aside:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(EXPRESS / name, aside)
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=aside, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install Express: {' '.join(done.stderr.split()[:40])}")
        made = Path(aside) / "made"
        made.mkdir()
        (Path(aside) / "node_modules").rename(made / "node_modules")
        with suppress(OSError):
            made.rename(folder)


def _answering(process: subprocess.Popen[bytes], port: int) -> RawClient:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        client = RawClient(port)
        try:
            if client.ask("GET", b"/").operation == "GET /":
                return client
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not answer")
