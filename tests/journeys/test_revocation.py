"""Promise: when the call that revokes a key has returned, no worker of the node allows it any more."""

import sys

import pytest

from scopekey.authority.actor import Caller
from scopekey.authority.issue_key import issue_key
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.wire.resources import CreateKey
from tests.journeys.serving import free_port, one_for_each_worker, running, serve

pytestmark = pytest.mark.journey
WORKERS = 3
ROUNDS = 1_000


def prepare(home, number):
    """A home folder with an operator and this many keys, as (operator, [(id, printed)])."""
    settings = Settings(home=home)
    operator = begin(settings)
    node = Node.open(settings)
    try:
        issued = [
            issue_key(node.authority, Caller.machine(), CreateKey(name=f"Key {at}", permissions=[]))[0]
            for at in range(number)
        ]
    finally:
        node.close()
    return operator, [(one.key.id, one.secret) for one in issued]


def revoke_and_check(port, operator, keys):
    """Revoke each key, then present it to every worker: the answers, by round and worker."""
    connections = one_for_each_worker(port, WORKERS)
    revokers = list(connections.values())
    answers = []
    for at, (key_id, printed) in enumerate(keys):
        revoker = revokers[at % WORKERS]
        status, _ = revoker.request("POST", f"/v1/keys/{key_id}/revoke", operator, {"reason": "compromised"})
        assert status == 200
        answered = {}
        for connection in connections.values():
            # A question that is answered from the replica alone: the store would know better anyway.
            status, answer = connection.request("POST", "/v1/verify", operator, {"key": printed, "permissions": []})
            assert 200 == status
            answered[connection.worker()] = answer["code"]
        answers.append(answered)
    for connection in connections.values():
        connection.close()
    return answers


def allowed(answers):
    return sum(code is None for answered in answers for code in answered.values())


def test_after_a_revocation_returned_no_worker_ever_allows_the_key(tmp_path):
    home = tmp_path / "home"
    operator, keys = prepare(home, ROUNDS)
    with serve(home, workers=WORKERS) as port:
        answers = revoke_and_check(port, operator, keys)
    assert ROUNDS == len(answers)
    assert {WORKERS} == {len(answered) for answered in answers}, "every worker must answer in every round"
    assert 0 == allowed(answers)
    assert {"revoked_key"} == {code for answered in answers for code in answered.values()}


def test_the_journey_notices_when_revocations_are_not_applied(tmp_path):
    home = tmp_path / "home"
    operator, keys = prepare(home, 5)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "unapplied:create_app", "--factory", "--log-level", "warning"]
    with running([*command, "--port", str(port), "--workers", str(WORKERS)], home, port):
        answers = revoke_and_check(port, operator, keys)
    assert 5 * WORKERS == allowed(answers)
