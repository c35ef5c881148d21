"""The platform behind its guard: which key can do what, and what an answer looks like."""

import time

import pytest

from scopekey.demo.platform import create_platform
from scopekey.enforce.fastapi import rules_of

ORDERS = {"name": "orders", "columns": [{"name": "id", "type": "integer"}]}

GUARDS = [
    ("GET", "/datasets", ["datasets:read"]),
    ("POST", "/datasets", ["datasets:write"]),
    ("GET", "/datasets/1", ["datasets:read"]),
    ("PATCH", "/datasets/1", ["datasets:write"]),
    ("DELETE", "/datasets/1", ["datasets:write"]),
    ("POST", "/datasets/1/upload", ["datasets:write"]),
    ("GET", "/datasets/1/sample", ["datasets:read"]),
    ("GET", "/datasets/1/stats", ["datasets:read"]),
    ("GET", "/queries", ["queries:read"]),
    ("POST", "/queries", ["queries:write"]),
    ("GET", "/queries/1", ["queries:read"]),
    ("PATCH", "/queries/1", ["queries:write"]),
    ("DELETE", "/queries/1", ["queries:write"]),
    ("POST", "/queries/1/run", ["queries:write", "datasets:read"]),
    ("GET", "/jobs", ["jobs:read"]),
    ("GET", "/jobs/1", ["jobs:read"]),
    ("GET", "/jobs/1/result", ["jobs:read", "datasets:read"]),
    ("POST", "/jobs/1/cancel", ["jobs:write"]),
    ("GET", "/connections", ["connections:read"]),
    ("POST", "/connections", ["connections:write"]),
    ("GET", "/connections/1", ["connections:read"]),
    ("PATCH", "/connections/1", ["connections:write"]),
    ("DELETE", "/connections/1", ["connections:write"]),
    ("POST", "/connections/1/test", ["connections:write"]),
    ("GET", "/connections/1/deliveries", ["connections:read", "datasets:read"]),
    ("GET", "/workflows", ["workflows:read"]),
    ("POST", "/workflows", ["workflows:write"]),
    ("GET", "/workflows/1", ["workflows:read"]),
    ("PATCH", "/workflows/1", ["workflows:write"]),
    ("DELETE", "/workflows/1", ["workflows:write"]),
    ("POST", "/workflows/1/run", ["workflows:write"]),
    ("GET", "/workflow-runs", ["workflows:read"]),
    ("GET", "/workflow-runs/1", ["workflows:read"]),
]
EVERY = sorted({permission for _, _, needed in GUARDS for permission in needed})


@pytest.mark.parametrize(("method", "path", "needed"), GUARDS)
def test_a_call_needs_each_of_its_permissions_and_no_other(holding, method, path, needed):
    assert 401 != holding(*needed).request(method, path).status_code
    for permission in needed:
        refused = holding(*(other for other in EVERY if other != permission)).request(method, path)
        assert 401 == refused.status_code
        assert [permission] == refused.json()["missing"]
        assert ", ".join(needed) == refused.headers["scopekey-requires"]


def test_every_route_that_is_not_public_is_in_the_table(app):
    listed = {(method.lower(), path.replace("1", "{}")) for method, path, _ in GUARDS}
    public = {("get", "/attributes"), ("get", "/healthz")}
    found = {
        (method, "/".join("{}" if part.startswith("{") else part for part in path.split("/")))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    assert listed | public == found


@pytest.mark.parametrize("path", ["/attributes", "/healthz"])
def test_what_is_public_needs_no_key(anybody, path):
    assert 200 == anybody.get(path).status_code


def test_an_analytics_key_looks_but_does_not_touch(holding, engineer):
    engineer.post("/datasets", json=ORDERS)
    analyst = holding("datasets:read", "queries:read")
    looks = ("/datasets", "/datasets/1", "/datasets/1/sample", "/datasets/1/stats", "/queries")
    assert [200] * 5 == [analyst.get(path).status_code for path in looks]
    touches = [
        analyst.post("/datasets", json=ORDERS),
        analyst.patch("/datasets/1", json={}),
        analyst.delete("/datasets/1"),
    ]
    assert [(401, ["datasets:write"])] * 3 == [(answer.status_code, answer.json()["missing"]) for answer in touches]
    assert 200 == engineer.get("/datasets/1").status_code


def test_a_permission_that_is_added_works_at_once(keys, app, anybody):
    secret = keys.add("datasets:read", "queries:read")
    headers = {"Authorization": f"Bearer {secret}"}
    assert 401 == anybody.post("/datasets", json=ORDERS, headers=headers).status_code
    keys.grant(secret, "datasets:read", "queries:read", "datasets:write")
    assert 201 == anybody.post("/datasets", json=ORDERS, headers=headers).status_code


def test_an_ingestion_key_brings_data_and_cannot_read_it_back(holding):
    loader = holding("datasets:write")
    assert 201 == loader.post("/datasets", json=ORDERS).status_code
    assert 201 == loader.post("/datasets/1/upload", json=[{"id": 1}]).status_code
    refused = [loader.get(path) for path in ("/datasets", "/datasets/1", "/datasets/1/sample", "/datasets/1/stats")]
    assert [(401, ["datasets:read"])] * 4 == [(answer.status_code, answer.json()["missing"]) for answer in refused]


def test_a_key_with_everything_except_jobs_is_refused_on_jobs(holding):
    key = holding(*(permission for permission in EVERY if not permission.startswith("jobs:")))
    assert [["jobs:read"], ["jobs:write"]] == [
        key.get("/jobs").json()["missing"],
        key.post("/jobs/1/cancel").json()["missing"],
    ]


def test_a_key_that_does_not_hold_the_permission_is_refused_before_its_body_is_read(holding, anybody):
    body = b"x" * 11_000_000
    assert 401 == anybody.post("/datasets", content=body).status_code
    assert 401 == holding("datasets:read").post("/datasets", content=body).status_code


def test_the_number_of_a_dataset_is_recorded_as_the_object(keys, engineer):
    engineer.get("/datasets/42/sample")
    assert "GET /datasets/{dataset_id}/sample" == str(keys.events[-1].operation)
    assert "42" == keys.events[-1].object


def test_its_rules_name_only_permissions_of_its_catalog(app, keys):
    rules = rules_of(app, keys.catalog)
    assert set(EVERY) == {
        str(p) for rule in rules.rules if rule.requirement for s in rule.requirement.any_of for p in s
    }


def test_the_openapi_file_shows_an_answer_and_a_summary_for_every_operation(app):
    for methods in app.openapi()["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert any(status.startswith("2") for status in operation["responses"])


def test_what_was_stored_is_there_after_a_restart_and_interrupted_jobs_say_so(tmp_path, keys, client_of):
    forever = "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"
    with client_of(create_platform(keys, path=tmp_path), *EVERY) as client:
        client.post("/datasets", json=ORDERS)
        client.post("/datasets/1/upload", json=[{"id": 5}])
        client.post("/queries", json={"name": "q", "sql": forever})
        for _ in range(3):
            client.post("/queries/1/run")
        while "running" != client.get("/jobs/1").json()["state"]:
            time.sleep(0.02)
    with client_of(create_platform(keys, path=tmp_path), *EVERY) as client:
        assert [{"id": 5}] == client.get("/datasets/1/sample").json()["rows"]
        states = [job["state"] for job in client.get("/jobs").json()["items"]]
        assert set(states) <= {"failed", "cancelled"}
        assert 2 == client.post("/datasets", json=ORDERS | {"name": "more"}).json()["id"]
