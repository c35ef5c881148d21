"""The demo's process: a home folder of its own, the platform and the management API beside it, and the story."""

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from starlette.types import ASGIApp

from scopekey.authority.actor import Caller
from scopekey.authority.catalog import apply_rules
from scopekey.demo.own_log import tell_log
from scopekey.demo.platform import CATALOG, DOCS, create_platform
from scopekey.demo.proxy import required, running_proxy
from scopekey.demo.scenario import Scenario
from scopekey.demo.serving import HOST, free_port, listen, listen_unix, serving
from scopekey.demo.story import Actor, Story
from scopekey.enforce.fastapi import rules_of
from scopekey.gateway.proxies.address import Address
from scopekey.gateway.proxies.configure import Places
from scopekey.server.app import ControlPlane
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.settings import Settings, write_private

HOME = Path(".scopekey-demo")


def run_demo(*, once: bool, port: int, gateway: str | None = None) -> None:
    """Play the story; with `once` end afterwards, else leave everything running with calls to paste.

    With `gateway` a proxy of that name guards the platform, in place of a guard inside it. Raises NoProxyError.
    """
    if gateway is not None:
        required(gateway)
    console = Console(highlight=False, soft_wrap=True)
    with _home(once=once) as home:
        settings = Settings(home=home, catalog=CATALOG)
        operator = Actor("operator", "everything", begin(settings, operator="Demo operator"), "")
        node = Node.open(settings)
        try:
            _play(console, node, operator, home, once=once, port=port, gateway=gateway)
        finally:
            node.close()


def _play(
    console: Console, node: Node, operator: Actor, home: Path, *, once: bool, port: int, gateway: str | None
) -> None:
    platform = create_platform(node, behind_proxy=gateway is not None)
    apply_rules(node.authority, Caller.machine(), rules_of(platform, docs=DOCS))
    with _standing(platform, ControlPlane(node, close=False), port, gateway) as (platform_url, management_url):
        behind = f", behind {gateway}" if gateway else ""
        console.print(f"The platform is at {platform_url}{behind}, the management API at {management_url}.")
        story = Story(console)
        try:
            keys = Scenario(story, platform_url, management_url, operator).play()
            tell_log(story, node)
        finally:
            story.close()
        console.print(f"\n[bold green]{story.steps} requests, every answer as told.[/]")
        if not once:
            node.carry()
            _stay(console, platform_url, management_url, home, {"operator": operator, **keys})


@contextmanager
def _standing(platform: ASGIApp, control: ASGIApp, port: int, gateway: str | None) -> Iterator[tuple[str, str]]:
    """Serve both, the platform by itself or behind a proxy, and give their addresses."""
    if gateway is None:
        with serving(platform, listen(port)) as at_platform, serving(control, listen(port + 1)) as at_control:
            yield at_platform, at_control
        return
    # Nobody but this user gets into the folder (0700): to the platform there is no way but through the proxy.
    with tempfile.TemporaryDirectory(prefix="scopekey-") as folder:
        api, checks = Path(folder, "api.sock"), Path(folder, "check.sock")
        proxy = Places(Address(path=str(api)), Address(path=str(checks)), Address(HOST, free_port(port)))
        with (
            serving(platform, listen_unix(api), behind_proxy=True),
            serving(control, listen(port + 1), listen_unix(checks)) as at_control,
            running_proxy(gateway, Path(folder, gateway), proxy),
        ):
            yield str(proxy.listen), at_control


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
    for line in _lines(platform, management, folder, home):
        console.print(line, markup=False)
    console.print("\nCtrl-C ends it.")
    ended.wait()


def _lines(platform: str, management: str, folder: Path, home: Path) -> list[str]:
    def curl(key: str, rest: str) -> str:
        return f'curl -s -H "Authorization: Bearer $(cat {folder / key})" {rest}'

    return [
        curl("analytics", f"{platform}/datasets/1/sample"),
        curl("analytics", f"-X DELETE {platform}/datasets/1"),
        curl("ingestion", f"{platform}/datasets/1/stats"),
        curl("analytics", f"{management}/v1/whoami"),
        curl("operator", f"{management}/v1/keys"),
        f"SCOPEKEY_HOME={home} scopekey audit tail --no-follow",
        f"SCOPEKEY_HOME={home} scopekey audit verify",
    ]
