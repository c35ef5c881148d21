"""What a node says about itself: to machines, without a key, and without anything of its tenants."""

import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scopekey.replica.clock import milliseconds
from tests.server.running import problem


def test_a_node_is_alive_and_ready_and_names_its_worker(api, deployment):
    assert {"alive": True} == api()("GET", "/healthz").json()
    position = deployment.node.index.place().position
    assert {"ready": True, "worker": os.getpid(), "position": position, "age": 0, "stale": False} == (
        api()("GET", "/readyz").json()
    )


@pytest.mark.parametrize(("behind", "status", "ready"), [(60_000, 200, True), (1_000_000, 503, False)])
def test_a_node_whose_replica_is_behind_is_ready_as_long_as_it_answers_checks(api, deployment, behind, status, ready):
    deployment.node.index.pend(b"m" * 16, milliseconds() - behind)
    answer = api()("GET", "/readyz")
    told = answer.json()
    assert (status, ready, True) == (answer.status_code, told["ready"], told["stale"])
    assert behind <= told["age"] < behind + 60_000
    assert 200 == api()("GET", "/healthz").status_code


def test_a_commit_in_flight_does_not_make_a_node_unready(api, deployment):
    deployment.node.index.pend(b"m" * 16, milliseconds())
    assert 200 == api()("GET", "/readyz").status_code


def test_a_replica_that_cannot_be_read_is_not_ready(api, deployment, monkeypatch):
    def broken(*_):
        raise OSError("gone")

    monkeypatch.setattr(type(deployment.node.index), "place", broken)
    assert 503 == api()("GET", "/readyz").status_code
    assert 200 == api()("GET", "/metrics").status_code


def test_the_metrics_can_be_read_and_tell_the_position(api, deployment):
    answer = api()("GET", "/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert deployment.node.index.place().position == families["scopekey_replica_position"].samples[0].value
    assert 0 == families["scopekey_replica_behind"].samples[0].value


def test_a_replica_that_is_behind_shows_in_the_metrics(api, deployment):
    deployment.node.index.pend(b"m" * 16, milliseconds() - 60_000)
    assert "scopekey_replica_behind 1.0" in api()("GET", "/metrics").text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_only_read(api, path):
    answer = api()("POST", path)
    assert (405, "GET, HEAD") == (answer.status_code, answer.headers["allow"])
    head = api()("HEAD", path)
    assert (200, b"") == (head.status_code, head.content)


def test_a_path_beside_a_probe_is_no_probe(api):
    assert (401, "no_credential") == problem(api()("GET", "/healthz/x"))
