"""What a node says about itself: to machines, without a key, and without anything of its tenants."""

import os
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scopekey.enforce.doors.metrics import METRICS
from scopekey.replica.carrier import LOCK
from scopekey.replica.clock import milliseconds
from scopekey.replica.decided import CODES
from scopekey.store.errors import StoreUnavailableError
from tests.server.running import problem


def until(true, within=5.0):
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


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


def metrics(api):
    """Every sample, by its name and its label."""
    families = text_string_to_metric_families(api()("GET", "/metrics").text)
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_metric_that_is_documented_is_told_and_no_other(api, deployment, operator):
    operator("GET", "/v1/keys")
    deployment.node.journal.close()
    deployment.seal()
    names = {name.split()[0] for name in metrics(api)}
    assert {told.name for told in METRICS} - {"scopekey_journal_lag_seconds"} == names


def test_decisions_are_told_by_their_code_and_each_code_is_there_from_the_start(api, operator):
    assert {f"scopekey_decisions_total {code}": 0 for code in CODES}.items() <= metrics(api).items()
    operator("GET", "/v1/keys")
    api("sck_live_wrong")("GET", "/v1/keys")
    api()("GET", "/v1/keys")

    def told():
        found = metrics(api)
        return [found[f"scopekey_decisions_total {code}"] for code in ("allowed", "malformed_key", "no_credential")]

    until(lambda: told() == [1, 1, 1])


def test_the_journal_is_told_with_its_limit_and_its_lag(api, deployment, operator):
    operator("GET", "/v1/keys")
    deployment.node.journal.close()
    told = metrics(api)
    assert (0, deployment.node.settings.journal_limit) == (
        told["scopekey_journal_lost_total"],
        told["scopekey_journal_limit_bytes"],
    )
    assert told["scopekey_journal_bytes"] > 100
    lock = deployment.node.settings.journal_path / LOCK
    lock.touch()
    os.utime(lock, (time.time() - 60,) * 2)
    assert 60 <= metrics(api)["scopekey_journal_lag_seconds"] < 120


def test_the_log_is_told_with_what_waits_and_when_it_was_sealed(api, deployment):
    deployment.seal()
    sealed = milliseconds() / 1_000
    deployment.key("datasets:read")
    told = metrics(api)
    with deployment.node.store.reading() as tx:
        size = tx.log.state().size
    assert (1, size, 1) == (told["scopekey_store_up"], told["scopekey_log_size"], told["scopekey_log_waiting"])
    assert sealed - 60 < told["scopekey_log_checkpoint_timestamp_seconds"] <= sealed


def test_while_the_store_is_away_the_log_is_left_out_and_all_else_told(api, deployment, monkeypatch):
    def away(*_):
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(type(deployment.node.store), "reading", away)
    told = metrics(api)
    assert 0 == told["scopekey_store_up"]
    assert {"scopekey_log_size", "scopekey_log_waiting"}.isdisjoint(told)
    assert "scopekey_decisions_total allowed" in told


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_only_read(api, path):
    answer = api()("POST", path)
    assert (405, "GET, HEAD") == (answer.status_code, answer.headers["allow"])
    head = api()("HEAD", path)
    assert (200, b"") == (head.status_code, head.content)


def test_a_path_beside_a_probe_is_no_probe(api):
    assert (401, "no_credential") == problem(api()("GET", "/healthz/x"))
