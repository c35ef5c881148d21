"""A control plane and gateways that follow it, as the real processes that people run, in folders of their own."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

import scopekey.demo
from bench.serving import HOST, serving
from bench.world import NEEDED
from scopekey.authority.actor import Caller
from scopekey.authority.catalog import apply_rules
from scopekey.authority.issue_key import issue_key
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.wire.resources import CreateKey, IssuedKey

TARGET = "/datasets"
RULES = Rules((Rule(Operation.parse(f"GET {TARGET}"), Requirement.all_of(Permission.parse(NEEDED))),))
_READY_WITHIN = 60.0


class Planes:
    """A home folder with an operator, the demo's catalog, one rule, and a key for gateways."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        catalog = Path(scopekey.demo.__file__).with_name("catalog.toml")
        self.settings = Settings(home=folder / "control", catalog=catalog)
        self.operator = begin(self.settings)
        with self.opened() as node:
            apply_rules(node.authority, Caller.machine(), RULES, allow_widening=True)
            self.feed_key = _secret(issue(node, "scopekey_changes:read", "scopekey_journal:write"))

    @contextmanager
    def opened(self) -> Iterator[Node]:
        """The deployment as a process of the same machine works on it."""
        node = Node.open(self.settings)
        try:
            yield node
        finally:
            node.close()

    def keys(self, count: int) -> list[tuple[str, str]]:
        """So many fresh keys that may do what is asked about, each as its id and its printed form."""
        with self.opened() as node:
            made = [issue(node, NEEDED) for _ in range(count)]
        return [(one.key.id, _secret(one)) for one in made]

    @contextmanager
    def serve(self, *, workers: int = 1, pinned: bool = False) -> Iterator[int]:
        """`scopekey serve` over it; gives its port once it answers checks."""

        def command(address: str) -> list[str]:
            port = address.rpartition(":")[2]
            return [sys.executable, "-m", "scopekey", "serve", "--port", port, "--workers", str(workers)]

        with serving(command, pinned=pinned, SCOPEKEY_HOME=str(self.settings.home)) as port:
            wait_ready(port)
            yield port

    @contextmanager
    def gateways(self, upstream: int, count: int) -> Iterator[list[int]]:
        """So many `scopekey gateway` of one worker, each with its own replica; gives their ports once all answer."""
        with ExitStack() as stack:
            ports = [stack.enter_context(self._gateway(upstream, f"gateway{at}")) for at in range(count)]
            for port in ports:
                wait_ready(port)
            yield ports

    @contextmanager
    def _gateway(self, upstream: int, name: str) -> Iterator[int]:
        home = self.folder / name
        home.mkdir()
        shutil.copy(self.settings.home / "pepper", home / "pepper")

        def command(address: str) -> list[str]:
            words = ["gateway", "--upstream", f"http://{HOST}:{upstream}", "--workers", "1"]
            return [sys.executable, "-m", "scopekey", *words, "--port", address.rpartition(":")[2]]

        with serving(command, pinned=False, SCOPEKEY_HOME=str(home), SCOPEKEY_API_KEY=self.feed_key) as port:
            yield port


def issue(node: Node, *permissions: str) -> IssuedKey:
    """Issue a key on this machine itself."""
    asked = CreateKey(name="Benchmark", permissions=list(permissions), never_expires=True)
    return issue_key(node.authority, Caller.machine(), asked)[0]


def told(port: int) -> dict[str, Any]:
    """What a worker says of itself."""
    answer = httpx.get(f"http://{HOST}:{port}/readyz", trust_env=False, timeout=10)
    found: dict[str, Any] = answer.json() | {"ready": answer.status_code == httpx.codes.OK}
    return found


def wait_ready(port: int) -> None:
    """Wait until a server answers checks. Raises TimeoutError."""
    until = time.monotonic() + _READY_WITHIN
    while time.monotonic() < until:
        try:
            if told(port)["ready"]:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"the server on port {port} was not ready within {_READY_WITHIN:.0f} s")


def _secret(issued: IssuedKey) -> str:
    assert issued.secret is not None
    return issued.secret
