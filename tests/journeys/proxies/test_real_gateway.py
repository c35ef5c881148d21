"""Promise: proxy, `scopekey gateway` and control plane, all real: who may is served, and who is revoked is not."""

import pytest

from tests.journeys.planes import Deployment, revoke, until
from tests.journeys.proxies.echo import echoing
from tests.journeys.proxies.fronting import PROXIES, front
from tests.journeys.proxies.raw import send
from tests.journeys.serving import gateway, serve

pytestmark = pytest.mark.journey

WAYS = ("tcp", "a Unix socket")


class Standing:
    """A control plane and a gateway that follows it, on TCP and on a Unix socket."""

    def __init__(self, deployment, control, over):
        self.operator, self.control, self.over = deployment.operator, control, over
        self.keys = iter(deployment.keys)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    deployment = Deployment(tmp_path_factory.mktemp("planes"), keys=len(PROXIES) * len(WAYS))
    home = deployment.plane("gateway")
    socket = home / "check.sock"
    with (
        serve(deployment.home) as control,
        gateway(home, f"http://127.0.0.1:{control}", **deployment.set_for(home, SOCKET=socket)) as (port, _),
    ):
        yield Standing(deployment, control, {"tcp": f"http://127.0.0.1:{port}", "a Unix socket": f"unix:{socket}"})


@pytest.mark.parametrize("way", WAYS)
def test_a_revoked_key_is_served_no_longer(proxy, standing, tmp_path, way):
    key_id, printed = next(standing.keys)
    api = tmp_path / "api.sock"
    with (
        echoing(api if way != "tcp" else None) as (echo, at),
        front(proxy, tmp_path / "proxy", gateway=standing.over[way], api=at) as address,
    ):
        served = send(address, "GET /datasets", key=printed)
        assert (200, b"served", "datasets:read") == (served.status, served.body, served.one("scopekey-requires"))
        assert [key_id.encode()] == echo.seen[0].all("scopekey-key-id")

        refused = send(address, "POST /datasets", "Content-Length: 2", body=b"{}", key=printed)
        assert (401, "unlisted_operation") == (refused.status, refused.document["code"])

        revoke(standing.control, standing.operator, key_id)
        until("revoked_key", lambda: send(address, "GET /datasets", key=printed).one("scopekey-code"))
        before = len(echo.seen)
        assert 401 == send(address, "GET /datasets", key=printed).status
        assert before == len(echo.seen)
