"""Two control planes on one PostgreSQL, three data planes: what one is told is known everywhere, or goes on alone."""

from contextlib import ExitStack

import pytest

from scopekey.store import migrate
from tests.journeys.planes import Deployment, check, follows, is_stale, revoke, until
from tests.journeys.serving import free_port, gateway, serve

pytestmark = [pytest.mark.journey, pytest.mark.postgres]


@pytest.fixture
def deployment(tmp_path, postgres_url):
    migrate.upgrade(postgres_url)
    return Deployment(tmp_path, keys=8, database_url=postgres_url)


def url(port):
    return f"http://127.0.0.1:{port}"


def answers(ports, printed):
    return [check(port, printed) for port in ports]


@pytest.mark.timeout(240)
def test_what_one_control_plane_is_told_is_known_everywhere_and_the_gateways_go_on_without_any(
    deployment, postgres_url
):
    homes = [deployment.home, deployment.second("second")]
    planes = [deployment.plane(f"gateway{at}") for at in range(3)]
    ports = [free_port(), free_port()]
    shared = {"SCOPEKEY_DATABASE_URL": postgres_url}
    keys = iter(deployment.keys)
    with ExitStack() as gateways:
        with ExitStack() as controls:
            for home, port in zip(homes, ports, strict=True):
                controls.enter_context(serve(home, port=port, workers=2, **shared))
            # Two gateways follow one control plane, the third the other.
            upstreams = [url(ports[0]), url(ports[0]), url(ports[1])]
            running = [
                gateways.enter_context(gateway(plane, upstream, workers=2, **deployment.set_for(plane)))
                for plane, upstream in zip(planes, upstreams, strict=True)
            ]
            everywhere = [*ports, *(port for port, _ in running)]
            # Writes on both: what either is told is refused by all five.
            for at in range(4):
                key_id, printed = next(keys)
                assert ["allowed"] * 5 == answers(everywhere, printed)
                revoke(ports[at % 2], deployment.operator, key_id)
                assert "revoked_key" == check(ports[at % 2], printed)
                until(["revoked_key"] * 5, answers, everywhere, printed)
            assert [False] * 5 == [is_stale(port) for port in everywhere]
        # Both control planes are gone.
        key_id, printed = next(keys)
        _, other = next(keys)
        assert ["allowed"] * 3 == answers(everywhere[2:], printed)
        # One gateway is started again, from its file alone.
        running[0][1].terminate()
        assert 0 == running[0][1].wait(40)
        with gateway(planes[0], upstreams[0], workers=2, **deployment.set_for(planes[0])) as (restarted, _):
            left = [restarted, *everywhere[3:]]
            assert ["allowed"] * 3 == answers(left, printed)
            until("away", follows, restarted)
            # One control plane is back: what it is told reaches those that follow it, and they are level again.
            with serve(homes[0], port=ports[0], **shared):
                revoke(ports[0], deployment.operator, key_id)
                until(["revoked_key"] * 2, answers, left[:2], printed)
                assert ["allowed"] * 2 == answers(left[:2], other)
                until([False] * 2, lambda: [is_stale(port) for port in left[:2]])
                # The third follows the other one, which is still away: it goes on from what it knew.
                assert "allowed" == check(left[2], other)
                with serve(homes[1], port=ports[1], **shared):
                    until(["revoked_key"] * 3, answers, left, printed)
