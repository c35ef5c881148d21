"""A real proxy as a child process, with the configuration that `scopekey gateway config` prints."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scopekey.gateway.proxies.configure import Places, configuration

RUN = ("nginx", "caddy", "haproxy")
STARTS_WITHIN, ENDS_WITHIN = 15.0, 10.0
# Debian keeps servers where an ordinary user's path does not look.
_MORE = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class NoProxyError(RuntimeError):
    """The proxy is not installed on this machine, or did not start."""


def required(proxy: str) -> str:
    """Give the program of a proxy. Raises NoProxyError, which says what to install."""
    if proxy not in RUN:
        raise NoProxyError(f"there is no proxy {proxy!r} that is run here: name one of {', '.join(RUN)}")
    found = program(proxy)
    if found is None:
        raise NoProxyError(f"{proxy} is not installed here: install its package (on Debian: apt-get install {proxy})")
    return found


def program(proxy: str) -> str | None:
    """Where the program of a proxy is; None where it is not installed."""
    return shutil.which(proxy, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_MORE)))


@contextmanager
def running_proxy(proxy: str, folder: Path, places: Places) -> Iterator[None]:
    """Run a proxy over `places` until the block ends; its files are kept in `folder`. Raises NoProxyError."""
    found = required(proxy)
    folder = folder.absolute()
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, text in configuration(proxy, places._replace(state=str(folder))).items():
        (folder / name).write_text(text, "utf-8")
    log = folder / "said.log"
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - a program of that name, over files written here
            [found, *arguments(proxy, folder)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            env=os.environ | {"HOME": str(folder)},
        )
    try:
        _wait(proxy, process, places, log)
        yield
    finally:
        _end(process)


def arguments(proxy: str, folder: Path) -> list[str]:
    """In the foreground and as whoever started it: one process, ended by its own id."""
    if proxy == "nginx":
        configured = str(folder / "nginx.conf")
        return ["-e", str(folder / "nginx.log"), "-c", configured, "-g", "daemon off; master_process off;"]
    if proxy == "caddy":
        return ["run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    return ["-db", "-f", str(folder / "haproxy.cfg")]


def _wait(proxy: str, process: subprocess.Popen[bytes], places: Places, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as caller:
            if caller.connect_ex((places.listen.bare_host, places.listen.port)) == 0:
                return
        time.sleep(0.01)
    raise NoProxyError(f"{proxy} did not start: {log.read_text(errors='replace').strip() or 'it says nothing'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
