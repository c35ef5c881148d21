"""Workflows: steps in their order, each decided with the present grant of the key that started the run."""

import time

import pytest

from scopekey.demo.platform import create_platform
from scopekey.demo.workflow_desk import OPERATION

AUTOMATION = ("workflows:read", "workflows:write")
STEPS = ("queries:write", "datasets:read", "datasets:write", "connections:read")
WAREHOUSE = {
    "name": "Warehouse",
    "settings": {"kind": "postgres", "host": "db.example.com", "database": "warehouse", "user": "loader"},
    "credential": "never shown",
}
ORDERS = {
    "name": "orders",
    "columns": [{"name": "country", "type": "string"}, {"name": "amount", "type": "number"}],
}
ROWS = [{"country": "NL", "amount": 10}, {"country": "NL", "amount": 2.5}, {"country": "FI", "amount": 1}]
REVENUE = "SELECT country, sum(amount) AS revenue FROM orders GROUP BY country ORDER BY country"
QUERY = {"do": "run_query", "query_id": 1, "into": "revenue"}
EXPORT = {"do": "export", "dataset": "revenue", "connection_id": 1}
# Long enough for a key to be changed meanwhile on a busy machine.
PAUSE = {"do": "pause", "seconds": 0.5}


@pytest.fixture
def shop(holding):
    """Somebody who may do everything: orders, a query, a connection."""
    client = holding(*AUTOMATION, *STEPS, "connections:write", "queries:read", "jobs:read", "jobs:write")
    client.post("/datasets", json=ORDERS)
    client.post("/datasets/1/upload", json=ROWS)
    client.post("/queries", json={"name": "revenue", "sql": REVENUE})
    client.post("/connections", json=WAREHOUSE)
    return client


@pytest.fixture
def automation(keys):
    """The key of most runs here, as it is sent."""
    return keys.add(*AUTOMATION, *STEPS)


def headers(secret):
    return {"Authorization": f"Bearer {secret}"}


def start(client, *steps, secret=None, sql=None):
    """Make a workflow of these steps and run it; gives the run's path."""
    if sql is not None:
        assert 200 == client.patch("/queries/1", json={"sql": sql}).status_code
    made = client.post("/workflows", json={"name": "w", "steps": steps})
    assert 201 == made.status_code, made.text
    path = made.headers["location"] + "/run"
    started = client.post(path, headers=headers(secret) if secret else None)
    assert 202 == started.status_code, started.text
    return started.headers["location"]


def wait(client, path, *, until=lambda run: run["state"] not in {"pending", "running"}):
    deadline = time.monotonic() + 30
    while not until(shown := client.get(path).json()):
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    return shown


def run(client, *steps, **options):
    return wait(client, start(client, *steps, **options))


def during_the_pause(client, path):
    """Return as soon as the run is in its first step."""
    wait(client, path, until=lambda run: run["steps"][0]["state"] == "running")


def states(run):
    return run["state"], *[step["state"] for step in run["steps"]]


def outcome(run, step):
    record = run["steps"][step - 1]
    return record["state"], record["code"], record["missing"]


def test_steps_run_in_their_order_and_each_uses_what_the_one_before_made(shop):
    ended = run(shop, QUERY, EXPORT)
    assert ("succeeded", "succeeded", "succeeded") == states(ended), ended
    assert [["NL", 12.5], ["FI", 1.0]] == sorted(
        (list(row.values()) for row in shop.get("/datasets/2/sample").json()["rows"]), reverse=True
    )
    (delivery,) = shop.get("/connections/1/deliveries").json()["items"]
    assert (2, 2) == (delivery["dataset_id"], delivery["row_count"])
    assert ("succeeded", 1) == (shop.get("/jobs/1").json()["state"], ended["steps"][0]["job_id"])


def test_what_is_delivered_waits_in_the_outbox_as_csv(shop, app):
    run(shop, QUERY, EXPORT)
    content = app.state.engine.read("SELECT content FROM platform.outbox")[0][0]
    assert ["country,revenue", "FI,1.0", "NL,12.5"] == content.splitlines()


def test_a_result_is_added_to_a_dataset_that_is_there(shop):
    assert [("succeeded", "succeeded")] * 2 == [states(run(shop, QUERY)) for _ in range(2)]
    assert 4 == shop.get("/datasets/2").json()["row_count"]


def test_every_kind_of_column_finds_a_type(shop):
    sql = (
        "SELECT 1 AS i, 1.50 AS d, true AS b, DATE '2026-01-02' AS day, TIMESTAMP '2026-01-02 03:04:05' AS t, [1] AS l"
    )
    run(shop, QUERY, sql=sql)
    shown = shop.get("/datasets/2").json()["columns"]
    assert ["integer", "number", "boolean", "date", "timestamp", "string"] == [column["type"] for column in shown]
    assert {"i": 1, "d": 1.5, "b": True, "l": "[1]"}.items() <= shop.get("/datasets/2/sample").json()["rows"][0].items()


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT country, 'secret-value' AS amount FROM orders", "result_unfit"),
        ("SELECT country FROM orders", "result_unfit"),
        ("SELECT CAST(country AS INTEGER) AS amount FROM orders", "sql_error"),
        ("SELECT 'NL' AS country, range AS amount FROM range(20000)", "result_too_long"),
        ("SELECT * FROM nowhere", "unknown_dataset"),
    ],
)
def test_a_step_that_fails_ends_the_run_in_words_that_quote_no_data(shop, sql, code):
    ended = run(shop, QUERY | {"into": "orders"}, EXPORT, sql=sql)
    assert ("failed", "failed", "skipped") == states(ended)
    assert code == ended["steps"][0]["code"]
    assert "secret-value" not in str(ended)
    assert ended["reason"].startswith("Step 1 failed: ")
    assert 3 == shop.get("/datasets/1").json()["row_count"]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (QUERY | {"query_id": 9}, "not_found"),
        (EXPORT | {"connection_id": 9}, "not_found"),
        (EXPORT, "unknown_dataset"),
        (EXPORT | {"connection_id": 2}, "connection_unusable"),
    ],
)
def test_a_step_that_leads_nowhere_says_so(shop, step, code):
    shop.post("/connections", json={name: WAREHOUSE[name] for name in ("name", "settings")})
    assert ("failed", code, []) == outcome(run(shop, step), 1)


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        (QUERY, "queries:write"),
        (QUERY, "datasets:read"),
        (QUERY, "datasets:write"),
        (EXPORT, "datasets:read"),
        (EXPORT, "connections:read"),
    ],
)
def test_a_step_needs_each_of_its_permissions_of_the_key_that_started_the_run(shop, keys, step, missing):
    lacking = keys.add(*AUTOMATION, *(permission for permission in STEPS if permission != missing))
    ended = run(shop, {"do": "pause", "seconds": 0.01}, step, PAUSE, secret=lacking)
    assert ("stopped", "succeeded", "refused", "skipped") == states(ended)
    assert ("refused", "missing_permission", [missing]) == outcome(ended, 2)
    assert f"({missing})" in ended["reason"]
    assert 1 == len(shop.get("/datasets").json()["items"])


def test_a_query_that_writes_nothing_needs_no_write_datasets(shop, keys):
    reader = keys.add(*AUTOMATION, "queries:write", "datasets:read")
    assert "succeeded" == run(shop, {"do": "run_query", "query_id": 1}, secret=reader)["state"]


def test_a_key_that_is_revoked_in_the_middle_stops_the_run_at_the_next_step(shop, keys, automation):
    path = start(shop, PAUSE, QUERY, EXPORT, secret=automation)
    during_the_pause(shop, path)
    keys.revoke(automation)
    ended = wait(shop, path)
    assert ("stopped", "succeeded", "refused", "skipped") == states(ended)
    assert ("refused", "revoked_key", []) == outcome(ended, 2)
    assert "revoked" in ended["reason"]
    assert [] == shop.get("/jobs").json()["items"]


def test_a_key_that_is_narrowed_in_the_middle_stops_at_the_step_that_needed_more(shop, keys, automation):
    path = start(shop, PAUSE, {"do": "run_query", "query_id": 1}, QUERY, secret=automation)
    during_the_pause(shop, path)
    keys.grant(automation, *AUTOMATION, "queries:write", "datasets:read")
    ended = wait(shop, path)
    assert ("stopped", "succeeded", "succeeded", "refused") == states(ended)
    assert ("refused", "missing_permission", ["datasets:write"]) == outcome(ended, 3)


def test_a_key_that_ends_in_the_middle_stops_the_run_even_where_the_next_step_needs_nothing(shop, keys):
    brief = keys.add(*AUTOMATION, expires_in=1_000)
    path = start(shop, PAUSE, PAUSE, secret=brief)
    during_the_pause(shop, path)
    keys.now += 1_000
    ended = wait(shop, path)
    assert ("stopped", "succeeded", "refused") == states(ended)
    assert "expired_key" == ended["steps"][1]["code"]


def test_a_key_that_is_widened_in_the_middle_goes_on(shop, keys):
    secret = keys.add(*AUTOMATION)
    path = start(shop, PAUSE, QUERY, secret=secret)
    during_the_pause(shop, path)
    keys.grant(secret, *AUTOMATION, *STEPS)
    assert ("succeeded", "succeeded", "succeeded") == states(wait(shop, path))


def test_a_suspended_organization_stops_its_runs(shop, keys):
    secret = keys.add(*AUTOMATION, *STEPS, organization="tenant")
    path = start(shop, PAUSE, QUERY, secret=secret)
    during_the_pause(shop, path)
    keys.organization("tenant", suspended=True)
    assert ("refused", "revoked_key", []) == outcome(wait(shop, path), 2)


def test_a_step_that_cannot_be_recorded_is_not_taken(shop, app, keys, automation):
    path = start(shop, PAUSE, QUERY, secret=automation)
    during_the_pause(shop, path)
    keys.journal_fails = True
    # Calls are refused too as long as nothing can be recorded, so the end is looked for behind the guard.
    while app.state.workflow_runs.store.get(1).finished_at is None:
        time.sleep(0.02)
    keys.journal_fails = False
    assert ("refused", "unavailable", []) == outcome(wait(shop, path), 2)
    assert [] == shop.get("/jobs").json()["items"]


def test_every_step_is_one_decision_in_the_log_under_the_call_that_started_the_run(shop, keys, automation):
    made = shop.post("/workflows", json={"name": "w", "steps": [QUERY, EXPORT]})
    call = headers(automation) | {"X-Request-Id": "nightly-7"}
    path = shop.post(made.headers["location"] + "/run", headers=call).headers["location"]
    ended = wait(shop, path)
    events = [event for event in keys.events if event.request_id == "nightly-7"]
    assert ["POST /workflows/{workflow_id}/run", OPERATION, OPERATION] == [event.operation for event in events]
    assert ["1", "1/1", "1/2"] == [event.object for event in events]
    assert {keys.key(automation).id} == {event.decision.key_id for event in events}
    assert (keys.key(automation).id, "nightly-7") == (ended["key_id"], ended["request_id"])
    assert automation not in str(ended)


def test_a_run_takes_the_steps_the_workflow_had_when_it_was_started(shop):
    path = start(shop, PAUSE, {"do": "run_query", "query_id": 1})
    shop.patch("/workflows/1", json={"steps": [EXPORT]})
    shop.delete("/workflows/1")
    assert ["pause", "run_query"] == [record["step"]["do"] for record in wait(shop, path)["steps"]]


def test_a_workflow_is_kept_listed_changed_and_deleted(shop):
    made = shop.post("/workflows", json={"name": "Nightly", "description": "d", "steps": [QUERY]}).headers["location"]
    shop.patch(made, json={"steps": [QUERY, EXPORT]})
    shown = shop.get(made).json()
    assert ("Nightly", "d", [QUERY, EXPORT]) == (shown["name"], shown["description"], shown["steps"])
    assert [shown] == shop.get("/workflows").json()["items"]
    assert 204 == shop.delete(made).status_code
    assert [404] * 3 == [
        shop.get(made).status_code,
        shop.delete(made).status_code,
        shop.post(made + "/run").status_code,
    ]
    assert 404 == shop.get("/workflow-runs/9").status_code


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"do": "delete_everything"}],
        [QUERY | {"also": 1}],
        [{"do": "pause", "seconds": 0}],
        [{"do": "pause", "seconds": 3600}],
        [QUERY | {"into": ""}],
        [PAUSE] * 51,
    ],
)
def test_steps_that_make_no_sense_are_refused_when_they_are_written(shop, steps):
    assert 422 == shop.post("/workflows", json={"name": "w", "steps": steps}).status_code
    assert 422 == shop.patch("/workflows/1", json={"steps": steps}).status_code


def test_too_many_waiting_runs_are_refused_with_a_time_to_come_back(shop, app):
    app.state.workflow_runs._open = 10_000
    shop.post("/workflows", json={"name": "w", "steps": [PAUSE]})
    refused = shop.post("/workflows/1/run")
    assert (503, "busy", "5") == (refused.status_code, refused.json()["code"], refused.headers["retry-after"])


def test_a_run_that_the_platforms_end_interrupted_says_so_after_a_restart(tmp_path, keys, client_of):
    held = (*AUTOMATION, *STEPS)
    with client_of(create_platform(keys, path=tmp_path), *held) as client:
        paths = [start(client, PAUSE | {"seconds": 60}, QUERY) for _ in range(3)]
        for path in paths[:2]:
            during_the_pause(client, path)
    with client_of(create_platform(keys, path=tmp_path), *held) as client:
        runs = client.get("/workflow-runs").json()["items"]
        assert [("failed", "failed", "skipped")] * 2 + [("failed", "skipped", "skipped")] == list(map(states, runs))
        assert all("stopped" in run["reason"] for run in runs)
