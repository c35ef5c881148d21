"""A control plane and data planes apart from it, for journeys: made once, started as real processes."""

import shutil
import time
from pathlib import Path

import httpx

from scopekey.authority.actor import Caller
from scopekey.authority.catalog import apply_rules
from scopekey.authority.issue_key import issue_key
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.wire.resources import CreateKey

CATALOG = 'name = "shop"\n[[resource]]\nname = "datasets"\ntitle = "Datasets"\n'
RULES = Rules((Rule(Operation.parse("GET /datasets"), Requirement.all_of(Permission("datasets", "read"))),))
BOUND = 10.0
"""Seconds that a test waits for what must happen; what is promised is measured by the benchmark."""


class Deployment:
    """A home folder with an operator, rules, keys, and a key for the data planes."""

    def __init__(self, folder: Path, *, keys: int = 1, **settings) -> None:
        self.folder = folder
        self.home = folder / "control"
        catalog = folder / "catalog.toml"
        catalog.write_text(CATALOG)
        self.settings = Settings(home=self.home, catalog=catalog, **settings)
        self.operator = begin(self.settings)
        node = Node.open(self.settings)
        try:
            apply_rules(node.authority, Caller.machine(), RULES, allow_widening=True)
            made = [self._issue(node, f"Key {at}", "datasets:read") for at in range(keys)]
            self.keys = [(one.key.id, one.secret) for one in made]
            feed = self._issue(node, "Gateway", "scopekey_changes:read", "scopekey_journal:write")
        finally:
            node.close()
        self.feed_id, self.feed_key = feed.key.id, feed.secret

    def _issue(self, node, name, *permissions):
        body = CreateKey(name=name, permissions=list(permissions), never_expires=True)
        return issue_key(node.authority, Caller.machine(), body)[0]

    def second(self, name: str) -> Path:
        """The home folder of another control plane on the same database: pepper and signing key are the first one's."""
        home = self.folder / name
        home.mkdir()
        for secret in ("pepper", "signing_key"):
            shutil.copy(self.home / secret, home / secret)
        return home

    def plane(self, name: str) -> Path:
        """The folder of a data plane, with the pepper and the key that it needs."""
        home = self.folder / name
        home.mkdir()
        shutil.copy(self.home / "pepper", home / "pepper")
        (home / "feed.key").write_text(self.feed_key)
        return home

    def set_for(self, home: Path, **more: str) -> dict[str, str]:
        """The settings of a data plane beside its folder."""
        return {"SCOPEKEY_KEY_FILE": str(home / "feed.key")} | {f"SCOPEKEY_{name}": str(v) for name, v in more.items()}


def check(port: int, printed: str) -> str:
    """What a node says about `GET /datasets` with a key: `allowed`, a code, or `down` where nobody answers."""
    headers = {
        "X-API-Key": printed,
        "X-Original-Method": "GET",
        "X-Original-URI": "/datasets",
        "X-Original-Client": "192.0.2.1",
    }
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/check/nginx", headers=headers, trust_env=False, timeout=5)
    except httpx.HTTPError:
        return "down"
    return "allowed" if answer.status_code == 200 else answer.headers.get("scopekey-code", str(answer.status_code))


def revoke(port: int, operator: str, key_id: str) -> None:
    """Revoke a key at a control plane; raises unless it says that it was done."""
    url = f"http://127.0.0.1:{port}/v1/keys/{key_id}/revoke"
    headers = {"Authorization": f"Bearer {operator}"}
    answer = httpx.post(url, json={"reason": "compromised"}, headers=headers, trust_env=False, timeout=20)
    assert 200 == answer.status_code, answer.text


def state(port: int) -> dict:
    """What a node says of itself."""
    answer: dict = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=5).json()
    return answer


def follows(port: int) -> str:
    """What the follower of a node says it does."""
    told: str = state(port)["follower"]["state"]
    return told


def is_stale(port: int) -> bool:
    """Whether a node says that its replica is behind."""
    stale: bool = state(port)["stale"]
    return stale


def until(expected, ask, *about, within: float = BOUND):
    """Ask until the answer is the expected one; gives every answer that came before it."""
    before = []
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        answer = ask(*about)
        if answer == expected:
            return before
        before.append(answer)
        time.sleep(0.02)
    raise AssertionError(f"{expected!r} did not come within {within} s, but {before[-1] if before else 'nothing'!r}")
