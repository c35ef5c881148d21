"""Promise: a key that is revoked through one node is refused by every other one on the same PostgreSQL soon after."""

import statistics
import sys
import time
from contextlib import ExitStack

import pytest

from scopekey.authority.actor import Caller
from scopekey.authority.issue_key import issue_key
from scopekey.server.node import Node
from scopekey.wire.resources import CreateKey
from tests.journeys.serving import free_port, leader_of, one_for_each_worker, running, serve
from tests.server.nodes import machines

pytestmark = [pytest.mark.journey, pytest.mark.postgres]
WORKERS = 2
ROUNDS = 200
BOUND = 2.0
"""Seconds after the answer to the revocation from which no node may allow the key."""


def prepare(folder, url, number):
    """Two machines on one database, and so many keys, as (settings, operator, [(id, printed)])."""
    made, operator = machines(folder, url)
    node = Node.open(made[0])
    try:
        asked = [CreateKey(name=f"Key {at}", permissions=[]) for at in range(number)]
        issued = [issue_key(node.authority, Caller.machine(), one)[0] for one in asked]
    finally:
        node.close()
    return made, operator, [(one.key.id, one.secret) for one in issued]


def revoke_and_watch(nodes, operator, key, printed, revoker):
    """Revoke a key at one node and ask the others about it; gives when each worker's answers came, and what they were.

    Nothing that a check could wait by is handed on.
    """
    here, *others = nodes if revoker == 0 else nodes[::-1]
    status, _ = next(iter(here.values())).request("POST", f"/v1/keys/{key}/revoke", operator, {"reason": "other"})
    returned = time.monotonic()
    assert 200 == status
    answers = []
    for connection in (connection for other in others for connection in other.values()):
        code = None
        while code is None and time.monotonic() < returned + 1.5 * BOUND:
            asked = time.monotonic() - returned
            answer = connection.request("POST", "/v1/verify", operator, {"key": printed, "permissions": []})[1]
            code = answer["code"]
            answers.append((asked, code))
        # Whoever has refused it once never allows it again.
        answer = connection.request("POST", "/v1/verify", operator, {"key": printed, "permissions": []})[1]
        answers.append((time.monotonic() - returned, answer["code"]))
    return answers


def allowed_too_late(answers):
    return [asked for asked, code in answers if code is None and asked > BOUND]


@pytest.fixture
def started():
    with ExitStack() as started:
        yield started


def connect(started, port):
    connections = one_for_each_worker(port, WORKERS)
    for connection in connections.values():
        started.callback(connection.close)
    return connections


def test_what_one_node_revokes_the_other_refuses_within_the_bound(tmp_path, postgres_url, started, capsys):
    homes, operator, keys = prepare(tmp_path, postgres_url, ROUNDS)
    ports = [
        started.enter_context(serve(home.home, workers=WORKERS, SCOPEKEY_DATABASE_URL=postgres_url)) for home in homes
    ]
    nodes = [connect(started, port) for port in ports]
    rounds = [
        revoke_and_watch(nodes, operator, key, printed, at % len(nodes)) for at, (key, printed) in enumerate(keys)
    ]
    assert [] == [late for answers in rounds for late in allowed_too_late(answers)]
    assert {None, "revoked_key"} >= {code for answers in rounds for _, code in answers}
    assert all(answers[-1][1] == "revoked_key" for answers in rounds)
    for home, connections in zip(homes, nodes, strict=True):
        assert leader_of(home.replica_path) in connections
    refused = sorted(1_000 * next(asked for asked, code in answers if code) for answers in rounds)
    with capsys.disabled():
        print(  # noqa: T201 - how soon is what this run shows
            f"\nfirst refused by another node, ms after the answer: p50 {statistics.median(refused):.1f}, "
            f"p99 {refused[int(0.99 * len(refused))]:.1f}, most {refused[-1]:.1f}"
        )


def test_the_journey_notices_where_nobody_follows(tmp_path, postgres_url, started):
    homes, operator, [(key, printed)] = prepare(tmp_path, postgres_url, 1)
    nodes = []
    for home in homes:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "unfollowing:create_app", "--factory", "--log-level", "warning"]
        command += ["--port", str(port), "--workers", str(WORKERS)]
        started.enter_context(running(command, home.home, port, SCOPEKEY_DATABASE_URL=postgres_url))
        nodes.append(connect(started, port))
    answers = revoke_and_watch(nodes, operator, key, printed, 0)
    assert {None} == {code for _, code in answers}
    assert allowed_too_late(answers)
