"""The platform without a guard of its own: it runs what reaches it, for whom the proxy says."""

import pytest
from fastapi.testclient import TestClient

from scopekey.cli.main import run
from scopekey.demo import proxy
from scopekey.demo.platform import DOCS, create_platform
from scopekey.demo.proxy import NoProxyError, required
from scopekey.enforce.fastapi import rules_of
from tests.demo.test_workflows import wait

STEPS = {"name": "Wait", "steps": [{"do": "pause", "seconds": 0.01}]}


@pytest.fixture
def behind(keys):
    with TestClient(create_platform(keys, behind_proxy=True)) as client:
        yield client


def told(keys, secret):
    return {"Scopekey-Key-Id": keys.key(secret).id, "X-Request-Id": "req-1", "X-Forwarded-For": "192.0.2.1"}


def test_it_exports_the_same_rules(keys):
    guarded, behind = create_platform(keys), create_platform(keys, behind_proxy=True)
    assert rules_of(guarded) == rules_of(behind, docs=DOCS)


def test_it_runs_what_reaches_it(behind):
    assert 200 == behind.get("/datasets").status_code


def test_it_works_on_for_the_key_that_the_proxy_names(behind, keys):
    secret = keys.add("workflows:write")
    workflow = behind.post("/workflows", json=STEPS).json()["id"]
    started = behind.post(f"/workflows/{workflow}/run", headers=told(keys, secret)).json()
    run = wait(behind, f"/workflow-runs/{started['run_id']}")
    assert ("succeeded", keys.key(secret).id) == (run["state"], run["key_id"])
    assert ("req-1", "192.0.2.1") == (keys.events[-1].request_id, keys.events[-1].address)


def test_it_stops_for_a_key_that_is_revoked(behind, keys):
    secret = keys.add("workflows:write")
    workflow = behind.post("/workflows", json=STEPS).json()["id"]
    keys.revoke(secret)
    started = behind.post(f"/workflows/{workflow}/run", headers=told(keys, secret)).json()
    assert "stopped" == wait(behind, f"/workflow-runs/{started['run_id']}")["state"]


@pytest.mark.parametrize("name", ["", "key_000000000000"])
def test_it_works_on_for_nobody(behind, name):
    workflow = behind.post("/workflows", json=STEPS).json()["id"]
    answer = behind.post(f"/workflows/{workflow}/run", headers={"Scopekey-Key-Id": name})
    assert (503, "unknown_caller") == (answer.status_code, answer.json()["code"])


def test_with_a_guard_of_its_own_it_believes_no_header(holding, keys):
    caller = holding("workflows:write")
    workflow = caller.post("/workflows", json=STEPS).json()["id"]
    another = told(keys, keys.add("workflows:write"))
    caller.post(f"/workflows/{workflow}/run", headers=another)
    started = [event for event in keys.events if event.operation == "POST /workflows/{workflow_id}/run"][-1]
    assert another["Scopekey-Key-Id"] != started.decision.key.id


def test_a_proxy_that_is_not_installed_is_named_with_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(proxy.shutil, "which", lambda *_, **__: None)
    with pytest.raises(NoProxyError, match=r"nginx is not installed here: .*apt-get install nginx"):
        required("nginx")
    monkeypatch.setattr("sys.argv", ["scopekey", "demo", "--once", "--gateway", "nginx"])
    with pytest.raises(SystemExit) as end:
        run()
    assert 2 == end.value.code
    assert "apt-get install nginx" in capsys.readouterr().err


def test_another_proxy_is_refused():
    with pytest.raises(NoProxyError, match="name one of nginx, caddy, haproxy"):
        required("apache")
