"""Both clients against a real server: every call, refusals with their code, pages, the log, and the environment."""

import json
import socket
from uuid import uuid4

import pytest

from scopekey.client import (
    ConfigurationError,
    InvalidKeyError,
    MissingPermissionError,
    RefusedError,
    RequestRefusedError,
    ScopekeyClient,
    UnreachableError,
)
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from tests.client.telling import KEY
from tests.server.running import Deployment, serving, settings


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    begun = settings(tmp_path_factory.mktemp("client"))
    operator = begin(begun)
    node = Node.open(begun)
    yield Deployment(node, operator)
    node.close()


@pytest.fixture(scope="module")
def url(deployment):
    with serving(deployment.app) as url:
        yield url


@pytest.fixture
def client(drive, url, deployment):
    return drive(url, deployment.operator)


@pytest.fixture
def issued(client):
    return client(lambda c: c.create_key(name="a", permissions=["datasets:read"], expires_in="1d"))


def test_a_keys_whole_life(client, issued):
    identity = issued.key.id
    assert issued.key == client(lambda c: c.show_key(identity))
    assert "b" == client(lambda c: c.edit_key(identity, name="b", version=1)).name
    assert ["GET /datasets"] == client(lambda c: c.reach_key(identity)).open
    assert [] == client(lambda c: c.reach_key(identity, without=["datasets:read"])).open
    assert ["datasets:read"] == client(lambda c: c.key_usage(identity, days=7)).unused
    assert client(lambda c: c.rotate_key(identity, overlap="0s")).secret not in {None, issued.secret}
    assert "revoked" == client(lambda c: c.revoke_key(identity, reason="unused", comment="over")).status


def test_a_key_knows_itself_and_can_end_itself(drive, url, issued):
    own = drive(url, issued.secret)
    assert "a" == own(lambda c: c.whoami()).key.name
    with pytest.raises(MissingPermissionError) as caught:
        own(lambda c: c.create_key(name="x", permissions=[]))
    assert ("scopekey_keys:write",) == caught.value.missing
    assert "revoked" == own(lambda c: c.revoke_self(reason="other")).status
    with pytest.raises(InvalidKeyError) as ended:
        own(lambda c: c.whoami())
    assert ("revoked_key", issued.key.id) == (ended.value.code, ended.value.key_id)


def test_a_repeat_gives_the_same_key_and_no_secret(client):
    once = str(uuid4())
    first, second = (client(lambda c: c.create_key(name="a", permissions=[], idempotency_key=once)) for _ in range(2))
    assert (first.key.id, None) == (second.key.id, second.secret)


def test_a_list_is_gone_through_over_its_pages(client):
    name = f"page of {uuid4()}"
    for _ in range(5):
        client(lambda c: c.create_key(name=name, permissions=[]))
    assert [name] * 5 == [key.name for key in client.all(lambda c: c.list_keys(text=name, limit=2))]
    assert [2, 2, 1] == [len(page.items) for page in client.all(lambda c: c.list_keys(text=name, limit=2).pages())]
    first = client(lambda c: _page(c.list_keys(text=name, limit=4), None))
    assert 1 == len(client(lambda c: _page(c.list_keys(text=name, limit=4), first.next)).items)


def _page(paged, cursor):
    return paged.page(cursor)


def test_tenants_the_catalog_and_questions(client, issued):
    made = client(lambda c: c.create_organization("Acme", policy={"max_key_age": "30d"}))
    assert made == client(lambda c: c.show_organization(made.id))
    assert made.id in {one.id for one in client.all(lambda c: c.list_organizations(limit=1))}
    assert client(lambda c: c.edit_organization(made.id, suspended=True)).suspended
    assert "datasets" in {one.name for one in client(lambda c: c.list_permissions()).resources}
    assert ["analytics"] == [one.name for one in client(lambda c: c.list_presets()).items]
    said = client(lambda c: c.verify(issued.secret, permissions=["datasets:read", "datasets:write"]))
    assert (False, "missing_permission", ["datasets:write"]) == (said.allowed, said.code, said.missing)


def test_the_log_is_searched_proved_and_fetched(client, deployment, issued):
    deployment.node.seal()
    found = client(lambda c: _page(c.search_log(kind="change", limit=1, order="oldest"), None)).items[0]
    assert found.index == client(lambda c: c.show_entry(found.index)).index
    checkpoint, key = client(lambda c: c.show_checkpoint()), client(lambda c: c.show_public_key())
    assert checkpoint.partition("\n")[0] == key.partition("+")[0]
    size = min(int(checkpoint.split("\n")[1]), 255)
    assert 32 * size == len(client(lambda c: c.show_tile(f"tile/0/000.p/{size}")))
    lines = b"".join(client.all(lambda c: c.export_log(kind="change"))).splitlines()
    assert ({"change"}, True) == ({json.loads(line)["entry"]["kind"] for line in lines}, len(lines) > 1)


def test_what_is_wrong_with_a_request_is_named(client, issued):
    with pytest.raises(RequestRefusedError) as caught:
        client(lambda c: c.create_key(name="a", permissions=["datasets:raed"]))
    assert ("unknown_permission", 400) == (caught.value.code, caught.value.status)
    assert "Did you mean datasets:read?" in str(caught.value)
    with pytest.raises(RequestRefusedError) as caught:
        client(lambda c: c.create_key(name="", permissions=[]))
    assert ("invalid_request", "name") == (caught.value.code, caught.value.field)
    with pytest.raises(RequestRefusedError) as caught:
        client(lambda c: c.edit_key(issued.key.id, name="b", version=7))
    assert "version_conflict" == caught.value.code


@pytest.mark.parametrize("identity", ["../organizations", "a/b", "?x=1", "#", "..", "a b"])
def test_an_id_stays_one_segment_of_the_path(client, identity):
    with pytest.raises(RefusedError) as caught:
        client(lambda c: c.show_key(identity))
    assert caught.value.code in {"not_found", "unreadable_target"}


def test_the_key_is_switched_while_the_client_is_used(client, issued):
    client.client.set_api_key(issued.secret)
    assert issued.key.id == client(lambda c: c.whoami()).key.id


def test_scopekeys_own_api_may_be_elsewhere_than_the_platform(drive, url, deployment):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        elsewhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        own = drive(elsewhere, deployment.operator, scopekey_url=url, retries=0)
        assert "First key" == own(lambda c: c.whoami()).key.name
        with pytest.raises(UnreachableError, match="did not answer") as caught:
            own(lambda c: c.request("GET", "/"))
    assert elsewhere.removeprefix("http://") in str(caught.value)


def test_plain_http_to_this_machine_asks_no_proxy(drive, url, deployment, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert "First key" == drive(url, deployment.operator)(lambda c: c.whoami()).key.name


def test_the_environment_says_everything_and_what_is_given_wins(monkeypatch):
    for name in ("API_KEY", "ENVIRONMENT", "LIVE_URL", "TEST_URL", "URL"):
        monkeypatch.delenv(f"SCOPEKEY_{name}", raising=False)
    rows = (
        ({}, {}, "no_api_key"),
        ({"API_KEY": KEY}, {}, "no_address"),
        ({"URL": "https://keys.example.com"}, {}, "https://keys.example.com"),
        ({"ENVIRONMENT": "live"}, {}, "no_address"),
        ({"LIVE_URL": "https://live.example.com"}, {}, "https://live.example.com"),
        ({}, {"environment": "https://given.example.com"}, "https://given.example.com"),
        ({}, {"urls": {"live": "https://other.example.com"}}, "https://other.example.com"),
    )
    for variables, given, expected in rows:
        for name, value in variables.items():
            monkeypatch.setenv(f"SCOPEKEY_{name}", value)
        if expected.startswith("no_"):
            with pytest.raises(ConfigurationError) as caught:
                ScopekeyClient.from_environment(**given)
            assert expected == caught.value.code
            continue
        with ScopekeyClient.from_environment(**given) as client:
            assert f"ScopekeyClient({expected}, sck_live_canary000001…)" == repr(client)
