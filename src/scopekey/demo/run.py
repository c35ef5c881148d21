"""The demo's process: a home folder of its own, the platform and the management API beside it, and the story."""

import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from rich.console import Console
from starlette.types import ASGIApp

from scopekey.authority.actor import Caller
from scopekey.authority.catalog import apply_rules
from scopekey.demo.platform import CATALOG, create_platform
from scopekey.demo.scenario import Scenario
from scopekey.demo.story import Actor, Story
from scopekey.enforce.fastapi import rules_of
from scopekey.server.app import ControlPlane
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.settings import Settings, write_private

HOME = Path(".scopekey-demo")
HOST = "127.0.0.1"


def run_demo(*, once: bool, port: int) -> None:
    """Play the story; with `once` end afterwards, else leave everything running with calls to paste."""
    console = Console(highlight=False, soft_wrap=True)
    with _home(once=once) as home:
        settings = Settings(home=home, catalog=CATALOG)
        operator = Actor("operator", "everything", begin(settings, operator="Demo operator"), "")
        node = Node.open(settings)
        try:
            _play(console, node, operator, home, once=once, port=port)
        finally:
            node.close()


def _play(console: Console, node: Node, operator: Actor, home: Path, *, once: bool, port: int) -> None:
    platform = create_platform(node)
    apply_rules(node.authority, Caller.machine(), rules_of(platform))
    with (
        _serving(platform, port) as platform_url,
        _serving(ControlPlane(node, close=False), port + 1) as management_url,
    ):
        console.print(f"The platform is at {platform_url}, the management API at {management_url}.")
        story = Story(console)
        try:
            keys = Scenario(story, platform_url, management_url, operator).play()
        finally:
            story.close()
        console.print(f"\n[bold green]{story.steps} requests, every answer as told.[/]")
        if not once:
            _stay(console, platform_url, management_url, home, {"operator": operator, **keys})


@contextmanager
def _home(*, once: bool) -> Iterator[Path]:
    """A home folder that is new each time: a temporary one, or `.scopekey-demo` while the demo stays."""
    if once:
        with tempfile.TemporaryDirectory(prefix="scopekey-demo-") as folder:
            yield Path(folder) / "home"
        return
    if HOME.exists():
        shutil.rmtree(HOME)
    yield HOME


@contextmanager
def _serving(app: ASGIApp, port: int) -> Iterator[str]:
    """Serve an app on loopback in a thread of its own, and give its address."""
    listener = _listen(port)
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def _listen(port: int) -> socket.socket:
    """Take the port, or any free one where it is taken."""
    for wanted in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, wanted))
        except OSError:
            listener.close()
        else:
            return listener
    raise OSError("no port is free on loopback")


def _stay(console: Console, platform: str, management: str, home: Path, keys: dict[str, Actor]) -> None:
    # Before anything is told: whoever reads that Ctrl-C ends it may press it at once.
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    folder = home / "keys"
    folder.mkdir(mode=0o700)
    for name, actor in keys.items():
        write_private(folder / name, actor.secret + "\n")
    console.print("\nIt goes on running. Paste these; each key is read from a file that only you can read:\n")
    for line in _lines(platform, management, folder):
        console.print(line, markup=False)
    console.print("\nCtrl-C ends it.")
    ended.wait()


def _lines(platform: str, management: str, folder: Path) -> list[str]:
    def curl(key: str, rest: str) -> str:
        return f'curl -s -H "Authorization: Bearer $(cat {folder / key})" {rest}'

    return [
        curl("analytics", f"{platform}/datasets/1/sample"),
        curl("analytics", f"-X DELETE {platform}/datasets/1"),
        curl("ingestion", f"{platform}/datasets/1/stats"),
        curl("analytics", f"{management}/v1/whoami"),
        curl("operator", f"{management}/v1/keys"),
    ]
