"""The last chapter: work that goes on after its call was answered, decided step by step for the key that started it."""

import time
from typing import Any

from scopekey.demo.stage import Stage
from scopekey.demo.story import Actor

AUTOMATION = ["workflows:read", "workflows:write", "jobs:read", "jobs:write"]
"""The preset Workflow automation."""
STEPS = ["queries:write", "datasets:read", "datasets:write", "connections:read"]
"""What the steps need beside it."""
CONNECTION: dict[str, Any] = {
    "name": "Warehouse",
    "settings": {"kind": "postgres", "host": "db.example.com", "database": "warehouse", "user": "loader"},
    "credential": "only-in-this-request",
}
SQL = "SELECT country, sum(amount) AS revenue FROM orders GROUP BY country"


def play_workflows(stage: Stage) -> None:
    """Run one workflow with a key that may, with one that may not, and with one that is revoked on the way."""
    stage.story.chapter("9. Each step of a workflow is decided with the grant of the key that started it")
    connector = stage.issue("Connector", ["connections:read", "connections:write"])
    connection = stage.call(connector, "POST", "/connections", 201, body=CONNECTION, show=["id"])["id"]
    stage.call(connector, "GET", f"/connections/{connection}", 200, show=["settings", "credential_set_at"])
    automation = stage.issue("Automation", AUTOMATION + STEPS)
    query = stage.call(automation, "POST", "/queries", 201, body={"name": "Revenue", "sql": SQL}, show=["id"])["id"]
    run = {"do": "run_query", "query_id": query, "into": "revenue"}
    export = {"do": "export", "dataset": "revenue", "connection_id": connection}
    nightly = _made(stage, automation, "Nightly revenue", [run, export])
    _run(stage, automation, nightly)
    _run(stage, stage.issue("Automation, blind", [p for p in AUTOMATION + STEPS if p != "datasets:read"]), nightly)
    slow = _made(stage, automation, "Later", [{"do": "pause", "seconds": 1}, run])
    _revoked_meanwhile(stage, automation, slow)


def _made(stage: Stage, actor: Actor, name: str, steps: list[dict[str, Any]]) -> int:
    body = {"name": name, "steps": steps}
    return int(stage.call(actor, "POST", "/workflows", 201, body=body, show=["id"])["id"])


def _run(stage: Stage, actor: Actor, workflow: int) -> None:
    started = stage.call(actor, "POST", f"/workflows/{workflow}/run", 202, show=["run_id"])
    _ended(stage, actor, started["run_id"])


def _revoked_meanwhile(stage: Stage, watcher: Actor, workflow: int) -> None:
    leaver = stage.issue("Automation, leaving", AUTOMATION + STEPS)
    started = stage.call(leaver, "POST", f"/workflows/{workflow}/run", 202, show=["run_id"])
    stage.story.tell("While its first step runs, the key is revoked:")
    path = f"/v1/keys/{leaver.key_id}/revoke"
    stage.manage(stage.operator, "POST", path, 200, body={"reason": "other"}, show=["status"])
    _ended(stage, watcher, started["run_id"])


def _ended(stage: Stage, watcher: Actor, run: int) -> None:
    """Wait for the run as a client would, then tell how its steps went."""
    for _ in range(200):
        if stage.look(watcher, f"/workflow-runs/{run}")["state"] not in {"pending", "running"}:
            break
        time.sleep(0.05)
    answer = stage.call(watcher, "GET", f"/workflow-runs/{run}", 200, show=["state"])
    for number, step in enumerate(answer["steps"], start=1):
        stage.story.tell(f"    step {number}, {step['step']['do']}: {step['state']}")
    if answer["reason"]:
        stage.story.tell(f"    {answer['reason']}")
