"""Decisions handed in over HTTP."""

import json

import pytest

from scopekey.server.api.journal import EXAMPLE
from scopekey.server.body import LIMIT
from scopekey.wire.decisions import MAX_SIZE
from tests.server.running import problem

PATH = "/v1/journal"


@pytest.fixture
def sending(api, deployment):
    """Calls with the key of a verifier."""
    return api(deployment.key("scopekey_changes:read", "scopekey_journal:write", never_expires=True)[1])


def handed_in(deployment):
    return [entry for entry in deployment.entries() if entry.node == EXAMPLE["node"]]


def test_a_batch_is_answered_with_the_number_that_comes_next(sending, deployment):
    answers = [sending("POST", PATH, EXAMPLE) for _ in range(2)]
    assert [(200, {"next": 2})] * 2 == [(answer.status_code, answer.json()) for answer in answers]
    counted, decided = handed_in(deployment)
    assert (EXAMPLE["node"], "decision", "key_0123456789AB", ["datasets:read"]) == (
        *(decided.node, decided.kind, decided.key),
        decided.used,
    )
    assert ("refusals", 17) == (counted.kind, counted.count)


def test_a_key_without_the_permission_is_refused(api, deployment):
    caller = api(deployment.key("scopekey_changes:read", "scopekey_journal:read")[1])
    assert (401, "missing_permission") == problem(caller("POST", PATH, EXAMPLE))
    assert (401, "no_credential") == problem(api()("POST", PATH, EXAMPLE))
    assert [] == handed_in(deployment)


def test_a_gap_is_refused_and_the_expected_number_named(sending):
    answer = sending("POST", PATH, EXAMPLE | {"offset": 7})
    assert ((409, "conflict"), 0) == (problem(answer), answer.json()["expected"])


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", json.dumps(EXAMPLE | {"canary": 1}).encode()])
def test_what_is_no_batch_is_refused_without_repeating_it(sending, deployment, body):
    answer = sending("POST", PATH, content=body)
    assert (422, "invalid_request") == problem(answer)
    assert "canary" not in answer.text
    assert [] == handed_in(deployment)


def test_the_place_that_is_wrong_is_named(sending):
    rows = [EXAMPLE["decisions"][0], [*EXAMPLE["decisions"][0]]]
    rows[1][5] = 3
    answer = sending("POST", PATH, EXAMPLE | {"decisions": rows})
    assert "decisions.1" == answer.json()["field"]


def test_brackets_that_a_caller_wrote_do_not_keep_a_batch_out(sending, deployment):
    row = [*EXAMPLE["decisions"][0]]
    row[8] = "[{" * 500
    assert 200 == sending("POST", PATH, EXAMPLE | {"decisions": [row]}).status_code
    assert "[{" * 500 == handed_in(deployment)[1].object


def test_a_verifier_sends_no_more_than_is_read_here(sending):
    assert LIMIT == MAX_SIZE
    assert (413, "too_large") == problem(sending("POST", PATH, content=b" " * (LIMIT + 1)))


def test_a_locked_store_is_said_and_the_batch_taken_later(sending, deployment):
    with deployment.node.store.writing():
        assert (503, "unavailable") == problem(sending("POST", PATH, EXAMPLE))
    assert {"next": 2} == sending("POST", PATH, EXAMPLE).json()
    assert 2 == len(handed_in(deployment))
