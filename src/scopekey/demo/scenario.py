"""The main job, as a story: keys with a purpose, calls they can make, calls they cannot, and why."""

import time

from scopekey.demo.stage import Stage
from scopekey.demo.story import Actor, Story
from scopekey.demo.workflow_scenario import play_workflows

COLUMNS = [
    {"name": "order_id", "type": "integer"},
    {"name": "country", "type": "string"},
    {"name": "amount", "type": "number"},
    {"name": "ordered_on", "type": "date"},
]
CSV = b"""order_id,country,amount,ordered_on
1,DE,19.90,2026-11-01
2,FR,42.00,2026-11-01
3,DE,7.50,2026-11-02
4,ES,120.25,2026-11-03
"""


class Scenario:
    """Plays against a running platform and the management API beside it."""

    def __init__(self, story: Story, platform: str, management: str, operator: Actor) -> None:
        self._story = story
        self._operator = operator
        self._stage = Stage(story, platform, management, operator)
        self._dataset = 0

    def play(self) -> dict[str, Actor]:
        """Play the whole story, and give the keys that are still live at its end."""
        ingestion = self._ingestion()
        analytics = self._analytics()
        self._widened(analytics)
        self._without_jobs(analytics)
        self._rotated()
        self._ended()
        self._no_escalation()
        self._whoami(analytics, ingestion)
        play_workflows(self._stage)
        return {"analytics": analytics, "ingestion": ingestion}

    def _ingestion(self) -> Actor:
        self._story.chapter("1. An ingestion key creates and uploads, and cannot read back")
        actor = self._stage.issue("Nightly load", ["datasets:write"])
        new = {"name": "orders", "description": "Orders of the shop", "columns": COLUMNS}
        self._dataset = self._stage.call(actor, "POST", "/datasets", 201, body=new, show=["id"])["id"]
        upload = f"/datasets/{self._dataset}/upload"
        self._stage.call(actor, "POST", upload, 201, content=("text/csv", CSV), show=["rows"])
        self._stage.call(actor, "GET", f"/datasets/{self._dataset}/sample", 401)
        return actor

    def _analytics(self) -> Actor:
        self._story.chapter("2. An analytics key reads, and is refused everything that would change something")
        actor = self._stage.issue("Dashboard", ["datasets:read", "queries:read"])
        dataset = f"/datasets/{self._dataset}"
        self._stage.call(actor, "GET", dataset, 200, show=["name", "row_count"])
        self._stage.call(actor, "GET", f"{dataset}/sample?limit=2", 200, show=["rows"])
        self._stage.call(actor, "GET", f"{dataset}/stats", 200, show=["row_count"])
        self._stage.call(actor, "POST", "/datasets", 401, body={"name": "copies", "columns": COLUMNS})
        self._stage.call(actor, "PATCH", dataset, 401, body={"description": "Mine now"})
        self._stage.call(actor, "DELETE", dataset, 401)
        return actor

    def _widened(self, analytics: Actor) -> None:
        self._story.chapter("3. Adding Write Datasets makes create work at once; the secret stays the same")
        held = {"permissions": ["datasets:read", "queries:read", "datasets:write"]}
        path = f"/v1/keys/{analytics.key_id}"
        answer = self._stage.manage(self._operator, "PATCH", path, 200, body=held, show=["permissions"])
        analytics.purpose = answer["purpose"]
        self._stage.call(analytics, "POST", "/datasets", 201, body={"name": "copies", "columns": COLUMNS}, show=["id"])
        narrow = {"permissions": ["datasets:read", "queries:read"]}
        answer = self._stage.manage(self._operator, "PATCH", path, 200, body=narrow, show=["permissions"])
        analytics.purpose = answer["purpose"]

    def _without_jobs(self, analytics: Actor) -> None:
        self._story.chapter("4. A key with everything except jobs runs a query, and is refused on the job")
        catalog = self._stage.manage(self._operator, "GET", "/v1/permissions", 200)
        names = [permission["name"] for resource in catalog["resources"] for permission in resource["permissions"]]
        held = [name for name in names if not name.startswith(("jobs:", "scopekey_", "access_tokens:"))]
        actor = self._stage.issue("Almost everything", held, purpose="everything on the platform, except Jobs")
        sql = "SELECT country, sum(amount) AS revenue FROM orders GROUP BY country ORDER BY country"
        query = self._stage.call(
            actor, "POST", "/queries", 201, body={"name": "Revenue by country", "sql": sql}, show=["id"]
        )
        self._stage.call(analytics, "POST", f"/queries/{query['id']}/run", 401)
        job = self._stage.call(actor, "POST", f"/queries/{query['id']}/run", 202, show=["job_id", "state"])
        self._stage.call(actor, "GET", f"/jobs/{job['job_id']}", 401)
        watcher = self._stage.issue("Job watcher", ["jobs:read", "datasets:read"])
        self._result(watcher, job["job_id"])

    def _result(self, watcher: Actor, job: int) -> None:
        """Wait for the job as a client would, then tell its result."""
        for _ in range(100):
            response = self._stage.look(watcher, f"/jobs/{job}")
            if response["state"] not in {"pending", "running"}:
                break
            time.sleep(0.05)
        self._stage.call(watcher, "GET", f"/jobs/{job}/result", 200, show=["rows"])

    def _rotated(self) -> None:
        self._story.chapter("5. A rotated key works with both secrets, until the overlap ends")
        actor = self._stage.issue("Rotating", ["datasets:read"])
        old = actor.secret
        answer = self._stage.manage(
            self._operator, "POST", f"/v1/keys/{actor.key_id}/rotate", 201, body={"overlap": "2s"}
        )
        actor.secret = answer["secret"]
        self._story.tell("The old secret, during the overlap of two seconds:")
        self._stage.call(actor, "GET", "/datasets", 200, secret=old)
        self._story.tell("The new secret:")
        self._stage.call(actor, "GET", "/datasets", 200)
        time.sleep(2.1)
        self._story.tell("The old secret, after the overlap:")
        self._stage.call(actor, "GET", "/datasets", 401, secret=old)
        self._stage.call(actor, "GET", "/datasets", 200)

    def _ended(self) -> None:
        self._story.chapter("6. A revoked key and an expired key stop at once")
        leaked = self._stage.issue("Leaked", ["datasets:read"])
        self._stage.call(leaked, "GET", "/datasets", 200)
        path = f"/v1/keys/{leaked.key_id}/revoke"
        self._stage.manage(self._operator, "POST", path, 200, body={"reason": "compromised"}, show=["status"])
        self._stage.call(leaked, "GET", "/datasets", 401)
        brief = self._stage.issue("For one second", ["datasets:read"], expires_in="1s")
        time.sleep(1.1)
        self._stage.call(brief, "GET", "/datasets", 401)

    def _no_escalation(self) -> None:
        self._story.chapter("7. A key that manages keys cannot mint a broader one than itself")
        manager = self._stage.issue("Team lead", ["access_tokens:read", "access_tokens:write", "datasets:read"])
        broad = {"name": "Broader", "permissions": ["datasets:read", "datasets:write"]}
        self._stage.manage(manager, "POST", "/v1/keys", 403, body=broad)
        narrow = {"name": "Narrower", "permissions": ["datasets:read"]}
        self._stage.manage(manager, "POST", "/v1/keys", 201, body=narrow)

    def _whoami(self, *actors: Actor) -> None:
        self._story.chapter("8. Every key can ask what it is, and the operator sees what each one reaches")
        for actor in actors:
            answer = self._stage.manage(actor, "GET", "/v1/whoami", 200)
            key, reach = answer["key"], answer["reach"]
            self._story.tell(f"    {key['name']}: {key['purpose']} Ends {key['expires_at']}.")
            self._story.tell(f"    opens {', '.join(reach['open'])}")
            self._story.tell(f"    {reach['closed_count']} operations are closed to it")
