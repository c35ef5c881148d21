"""Envoy's and Traefik's contracts, spoken by a client, to a real server on TCP and on its Unix socket.

What the two proxies do is taken from their documentation, as `http-contracts.json` of the shared references has it.
"""

import http.client
import json
import socket
from contextlib import closing
from http.client import HTTPMessage
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.journeys.planes import Deployment, revoke
from tests.journeys.serving import gateway, serve

pytestmark = pytest.mark.journey

CONTRACTS = Path(__file__).parents[3] / "shared" / "reference" / "http-contracts.json"
IDENTITY = ("Scopekey-Key-Id", "Scopekey-Organization", "Scopekey-Environment", "Scopekey-Used")


class Said(NamedTuple):
    """What a door answered."""

    status_code: int
    headers: HTTPMessage
    body: bytes

    @property
    def code(self):
        return json.loads(self.body)["code"]


class Proxy:
    """A proxy in front of an API: `answer` gives the status the client gets, what the door said, what the API was sent.

    It sends paths as they come, which client libraries do not. `where` is a port of loopback, or a Unix socket's path.
    """

    def __init__(self, where):
        self._where = where

    def answer(self, method, path, headers, client="192.0.2.1"):
        try:
            said = self.ask(*self.told(method, path, headers, client))
        except OSError:
            return self.unreachable, None, None
        if not self.allows(said):
            return said.status_code, said, None
        kept = [(name, value) for name, value in headers if name.lower() not in {n.lower() for n in IDENTITY}]
        # Both replace a field of the request by one of the answer; neither knows one that the answer lacks.
        return 200, said, dict(kept + [(name, said.headers[name]) for name in IDENTITY])

    def ask(self, method, path, headers):
        with closing(http.client.HTTPConnection("127.0.0.1", timeout=10)) as connection:
            if isinstance(self._where, int):
                connection.port = self._where
            else:
                connection.sock = socket.socket(socket.AF_UNIX)
                connection.sock.connect(str(self._where))
            connection.putrequest(method, path.decode("latin-1"), skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return Said(answer.status, answer.headers, answer.read())


class Envoy(Proxy):
    """ext_authz over HTTP with path_prefix, allowed_headers and allowed_upstream_headers as printed."""

    unreachable = 403
    allowed_headers = ("authorization", "x-api-key", "x-request-id", "scopekey-position")

    def allows(self, said):
        return said.status_code == 200

    def told(self, method, path, headers, client):
        sent = [pair for pair in headers if pair[0].lower() in self.allowed_headers]
        return method, b"/ext_authz" + path, [*sent, ("X-Forwarded-For", client), ("Content-Length", "0")]


class Traefik(Proxy):
    """ForwardAuth with trustForwardHeader false: X-Forwarded-* are its own, all other fields the client's."""

    unreachable = 500

    def allows(self, said):
        return 200 <= said.status_code < 300

    def told(self, method, path, headers, client):
        own = {
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": "api.example",
            "X-Forwarded-Uri": path.decode("latin-1"),
            "X-Forwarded-For": client,
        }
        kept = [pair for pair in headers if pair[0].lower() not in {name.lower() for name in own}]
        return "GET", b"/check/forwarded", [*kept, *own.items()]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    return Deployment(tmp_path_factory.mktemp("deployed"), keys=2)


@pytest.fixture(scope="module")
def plane(deployed):
    """A control plane that listens on both: where, by kind."""
    path = deployed.folder / "socket"
    with serve(deployed.home, SCOPEKEY_SOCKET=str(path)) as port:
        yield {"tcp": port, "unix": path}


@pytest.fixture(params=["envoy-tcp", "envoy-unix", "traefik-tcp", "traefik-unix"])
def proxy(plane, request):
    name, _, kind = request.param.partition("-")
    return {"envoy": Envoy, "traefik": Traefik}[name](plane[kind])


def bearer(key):
    return [("Authorization", f"Bearer {key}")]


def test_an_allowed_request_reaches_the_api_with_its_caller_and_never_with_the_clients_own_word(deployed, proxy):
    key_id, printed = deployed.keys[0]
    forged = [(name, "forged") for name in IDENTITY]
    status, _, sent = proxy.answer("GET", b"/datasets?limit=1", [*bearer(printed), *forged])
    assert (200, key_id, "live", "datasets:read") == (
        status,
        sent["Scopekey-Key-Id"],
        sent["Scopekey-Environment"],
        sent["Scopekey-Used"],
    )


def test_a_refusal_reaches_the_client_with_its_reason(deployed, proxy):
    status, said, sent = proxy.answer("POST", b"/datasets", bearer(deployed.keys[0][1]))
    assert (401, None, "unlisted_operation") == (status, sent, said.code)
    status, said, _ = proxy.answer("GET", b"/datasets", [])
    assert (401, "no_credential", 'Bearer realm="scopekey"') == (
        status,
        said.code,
        said.headers["WWW-Authenticate"],
    )


@pytest.mark.parametrize(
    "path", [b"/datasets/../datasets", b"/datasets%2F", b"//datasets", b"/datasets;a", b"/%64atasets"]
)
def test_a_path_with_two_readings_is_refused_however_the_proxy_tells_it(deployed, proxy, path):
    status, said, sent = proxy.answer("GET", path, bearer(deployed.keys[0][1]))
    assert (400, "unreadable_target", None) == (status, said.code, sent)


def test_fields_by_which_a_client_names_another_request_change_nothing(deployed, proxy):
    told = [("X-Original-URI", "/datasets"), ("X-Original-Method", "GET"), ("X-Forwarded-Uri", "/datasets")]
    status, said, _ = proxy.answer("GET", b"/elsewhere", [*bearer(deployed.keys[0][1]), *told])
    assert (401, "unlisted_operation") == (status, said.code)


def test_a_revoked_key_is_refused_by_the_next_question(deployed, plane, proxy):
    key_id, printed = deployed.keys[1]
    revoke(plane["tcp"], deployed.operator, key_id)
    assert "revoked_key" == proxy.answer("GET", b"/datasets", bearer(printed))[1].code


def test_a_gateway_answers_on_its_unix_socket_too_and_is_gone_with_it(deployed, plane):
    home = deployed.plane("behind")
    path = home / "socket"
    upstream = f"http://127.0.0.1:{plane['tcp']}"
    with gateway(home, upstream, **deployed.set_for(home, SOCKET=path)):
        assert 200 == Traefik(path).answer("GET", b"/datasets", bearer(deployed.keys[0][1]))[0]
    assert not path.exists()
    assert Traefik.unreachable == Traefik(path).answer("GET", b"/datasets", bearer(deployed.keys[0][1]))[0]


@pytest.mark.skipif(not CONTRACTS.exists(), reason="the shared references are not in a clone of the repository alone")
def test_the_clients_here_are_what_the_contracts_say():
    contracts = json.loads(CONTRACTS.read_text())["forward_auth"]
    assert "200 only" == contracts["envoy_ext_authz_http"]["allow"]
    assert contracts["envoy_ext_authz_http"]["path"].startswith("path_prefix + original :path")
    assert "any 2xx" == contracts["traefik_forwardauth"]["allow"]
    sent = {"X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-For"}
    assert sent == set(contracts["traefik_forwardauth"]["headers_in"])
