"""Promise: what is revoked on the control plane is refused on every other node soon, and then by all of its workers.

Soon is measured by the benchmark; here it has a generous bound. What is exact: from the moment at which a
gateway says that it has reached the revocation's position, none of its workers allows the key.
"""

import os
import signal
import time

import httpx
import pytest

from tests.journeys.hammer import Hammer, lines
from tests.journeys.planes import Deployment, state, until
from tests.journeys.serving import gateway, leader_of, serve

pytestmark = pytest.mark.journey
SOON = 5.0
ROUNDS = 20


def revoke(control, deployment, key_id):
    """Revoke a key; gives what the answer says of its position, whole and as a number."""
    headers = {"Authorization": f"Bearer {deployment.operator}"}
    url = f"http://127.0.0.1:{control}/v1/keys/{key_id}/revoke"
    answer = httpx.post(url, json={"reason": "compromised"}, headers=headers, trust_env=False, timeout=20)
    assert 200 == answer.status_code, answer.text
    told = answer.headers["scopekey-position"]
    return told, int(told.rpartition("-")[2])


def has_reached(port, position):
    return state(port)["position"] >= position


def codes(answers):
    return [answer.code for answer in answers]


def revoke_under_fire(hammer, control, ports, deployment):
    """Revoke a key while it is asked about; gives the answers, when the call had returned, and who reached it when."""
    key_id, printed = next(deployment.unused)
    answers = hammer.ask_about(printed)
    hammer.wait_until(lambda told: codes(told).count("allowed") >= 10)
    _, position = revoke(control, deployment, key_id)
    returned = time.monotonic()
    for port in ports:
        until(True, has_reached, port, position)
    reached = time.monotonic()
    # Every connection asks again, at least once, after everybody has said so.
    hammer.wait_until(lambda told: sum(answer.asked > reached for answer in told) > 100)
    return list(answers), returned, reached


def late(answers, moment):
    """The allows of calls that began after a moment."""
    return [answer for answer in answers if answer.code == "allowed" and answer.asked > moment]


@pytest.fixture(scope="module")
def planes(tmp_path_factory):
    deployment = Deployment(tmp_path_factory.mktemp("planes"), keys=2 * ROUNDS + 1)
    deployment.unused = iter(deployment.keys)
    homes = [deployment.plane(f"gateway{at}") for at in range(2)]
    with serve(deployment.home) as control:
        url = f"http://127.0.0.1:{control}"
        settings = [deployment.set_for(home) for home in homes]
        with (
            gateway(homes[0], url, workers=2, **settings[0]) as (first, _),
            gateway(homes[1], url, workers=2, **settings[1]) as (second, _),
        ):
            yield deployment, control, (first, second), homes


def test_a_key_revoked_under_fire_is_refused_soon_and_never_after_its_position_is_reached(planes):
    deployment, control, ports, _ = planes
    with Hammer(ports) as hammer:
        for _ in range(ROUNDS):
            answers, returned, reached = revoke_under_fire(hammer, control, ports, deployment)
            assert [] == late(answers, returned + SOON)
            assert [] == late(answers, reached)
            assert {"allowed", "revoked_key"} == set(codes(answers))
        assert 0 == hammer.broken


def test_the_journey_notices_when_a_gateway_hears_nothing(planes):
    """The control: a stopped follower, and what the gateway has reached is asked of the other one alone."""
    deployment, control, ports, homes = planes
    os.kill(leader_of(homes[0] / "replica"), signal.SIGSTOP)
    try:
        with Hammer(ports) as hammer:
            answers, _, reached = revoke_under_fire(hammer, control, ports[1:], deployment)
    finally:
        os.kill(leader_of(homes[0] / "replica"), signal.SIGCONT)
    assert [] != late(answers, reached)


def test_a_call_that_names_the_position_of_the_revocation_is_never_allowed(planes):
    deployment, control, ports, homes = planes
    stopped = leader_of(homes[0] / "replica")
    try:
        with lines(ports) as asking:
            for number in range(ROUNDS):
                key_id, printed = next(deployment.unused)
                if number == ROUNDS - 1:
                    # The control: here the gateway cannot know, and only the position keeps it from saying yes.
                    os.kill(stopped, signal.SIGSTOP)
                assert {"allowed"} == {line.ask(printed)[0].code for line in asking}
                told, _ = revoke(control, deployment, key_id)
                named = {line.ask(printed, f"Scopekey-Position: {told}")[0].code for line in asking}
                assert named <= {"revoked_key", "stale_replica"}
            unnamed = {line.ask(printed)[0].code for line in asking}
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert ({"revoked_key", "stale_replica"}, {"allowed", "revoked_key"}) == (named, unnamed)
