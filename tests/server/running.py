"""A real deployment to try things on: a home folder, a node on it, and the process's app under a real server."""

import contextlib
import json
import logging
import sqlite3
from pathlib import Path

import httpx

from scopekey.authority.actor import Caller
from scopekey.authority.issue_key import issue_key
from scopekey.authority.organizations import create_organization
from scopekey.authority.seal_log import LogSealer
from scopekey.demo.serving import listen
from scopekey.demo.serving import serving as in_a_thread
from scopekey.server.app import ControlPlane
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.wire.resources import CreateKey, CreateOrganization

CATALOG = """
name = "platform"

[[resource]]
name = "datasets"
title = "Datasets"
group = "Core Data"
covers = "metadata and samples"

[[resource]]
name = "queries"
title = "Queries"
group = "Core Data"
covers = "saved SQL"

[[preset]]
name = "analytics"
title = "Analytics"
permissions = ["datasets:read", "queries:read"]
"""

RULES = """
[[rule]]
operation = "GET /datasets"
requires = "datasets:read"

[[rule]]
operation = "POST /datasets"
requires = "datasets:write"

[[rule]]
operation = "POST /queries/{query_id}/run"
requires = ["datasets:read", "queries:write"]

[[rule]]
operation = "GET /status"
public = true
"""

OWN = [
    "scopekey_keys:read",
    "scopekey_keys:write",
    "scopekey_usage:read",
    "scopekey_verifications:write",
]
"""What a tenant's own administrator holds of Scopekey's permissions."""

DATA = ["datasets:read", "datasets:write", "queries:read", "queries:write"]


def settings(folder: Path, **more) -> Settings:
    """Settings of a home in a folder, with its catalog and rules in files."""
    catalog, rules = folder / "catalog.toml", folder / "rules.toml"
    if not catalog.exists():
        catalog.write_text(CATALOG, "utf-8")
        rules.write_text(RULES, "utf-8")
    return Settings(**{"home": folder / "home", "catalog": catalog, "rules": rules, **more})


class Deployment:
    """A node, its operator's key, and shorter words for what the tests say often."""

    machine = Caller.machine("req_machine")

    def __init__(self, node: Node, operator: str) -> None:
        self.node, self.operator = node, operator
        self.app = ControlPlane(node, close=False)

    def key(self, *permissions, by=machine, **asked) -> tuple[str, str]:
        """Issue a key through the authority; gives its id and its secret."""
        asked = {"name": "a key", "permissions": list(permissions), **asked}
        issued, _ = issue_key(self.node.authority, by, CreateKey(**asked))
        return issued.key.id, issued.secret

    def tenant(self, name="Acme", **policy) -> str:
        """Make an organization; gives its id."""
        return create_organization(self.node.authority, self.machine, CreateOrganization(name=name, policy=policy))[
            0
        ].id

    def database(self) -> Path:
        return self.node.settings.home / "scopekey.db"

    def rows(self) -> dict[str, int]:
        """How many rows each table holds; decisions are recorded on the side, so entries are counted by kind."""
        with contextlib.closing(sqlite3.connect(self.database())) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in tables}
        counts.pop("entries", None)
        counts["changes"] = len(self.changes())
        return counts

    def seal(self) -> int:
        """Number and seal what arrived in the log; gives how many entries that were."""
        return LogSealer(self.node.store, seed=self.node.settings.signing_seed())()

    def changes(self) -> list:
        """The audit entries of changes."""
        return [entry for entry in self.entries() if entry.kind == "change"]

    def entries(self) -> list:
        """The audit entries, the journal handed over first, newest first."""
        with self.node.store.reading() as tx:
            return [logged.entry for logged in tx.entries.newest(10_000)]


def serving(app):
    """Serve an app on loopback in a thread of its own; gives its address."""
    return in_a_thread(app, listen(0))


class Api:
    """HTTP against the running process, with one key."""

    def __init__(self, url: str, secret: str | None) -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

    def __call__(self, method, path, body=None, **more) -> httpx.Response:
        if body is not None:
            more["content"] = json.dumps(body)
            more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        return self.http.request(method, path, **more)


def problem(response: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal, which must be a whole problem document."""
    document = response.json()
    assert "application/problem+json" == response.headers["content-type"]
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(document)
    assert (response.status_code, document["code"]) == (document["status"], response.headers["scopekey-code"])
    return response.status_code, document["code"]


logging.getLogger("uvicorn").propagate = True
