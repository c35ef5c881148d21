"""The client against a real server: success, refusals with their code, and a key that never shows."""

import logging
import socket
import traceback

import pytest

from scopekey.client.management import ManagementClient, UnreachableError
from scopekey.core.problem import ProblemError
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.wire.resources import (
    CreateKey,
    CreateOrganization,
    EditKey,
    EditOrganization,
    PolicyBody,
    RevokeKey,
    RotateKey,
    Verify,
)
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
def client(url, deployment):
    with ManagementClient(url, deployment.operator) as client:
        yield client


@pytest.fixture
def issued(client):
    return client.create_key(CreateKey(name="a", permissions=["datasets:read"], expires_in="1d"))


def test_a_keys_whole_life(client, issued):
    identity = issued.key.id
    assert issued.key == client.show_key(identity)
    assert "b" == client.edit_key(identity, EditKey(name="b"), version=1).name
    assert ["GET /datasets"] == client.reach_key(identity).open
    assert [] == client.reach_key(identity, without=["datasets:read"]).open
    assert (["datasets:read"], 0) == (client.key_usage(identity, days=7).unused, client.key_usage(identity).uses)
    assert client.rotate_key(identity, RotateKey(overlap="0s")).secret not in {None, issued.secret}
    assert "revoked" == client.revoke_key(identity, RevokeKey(reason="unused")).status


def test_a_repeat_gives_the_same_key_and_no_secret(client):
    body = CreateKey(name="a", permissions=["datasets:read"])
    first, second = (client.create_key(body, idempotency_key="once") for _ in range(2))
    assert (first.key.id, None) == (second.key.id, second.secret)


def test_pages_are_followed_by_their_cursor(client):
    for _ in range(3):
        client.create_key(CreateKey(name="page", permissions=[]))
    first = client.list_keys(text="page", limit=2)
    second = client.list_keys(text="page", limit=2, cursor=first.next)
    assert (2, 1, None) == (len(first.items), len(second.items), second.next)


def test_what_was_not_set_is_not_sent(client, issued):
    edited = client.edit_key(issued.key.id, EditKey(metadata={"a": "b"}))
    assert (issued.key.name, issued.key.expires_at, {"a": "b"}) == (edited.name, edited.expires_at, edited.metadata)


def test_organizations_are_made_listed_shown_and_changed(client):
    made = client.create_organization(CreateOrganization(name="Acme", policy=PolicyBody(max_key_age="30d")))
    assert made == client.show_organization(made.id)
    assert made in client.list_organizations(limit=200).items
    assert (
        "1d"
        == client.edit_organization(made.id, EditOrganization(policy=PolicyBody(max_key_age="1d"))).policy.max_key_age
    )


def test_whoami_and_questions(client, issued):
    assert "First key" == client.whoami().key.name
    assert client.verify(Verify(key=issued.secret, permissions=["datasets:read"])).allowed


def test_a_refusal_is_raised_with_its_code_its_words_and_its_members(client):
    with pytest.raises(ProblemError) as caught:
        client.create_key(CreateKey(name="a", permissions=["datasets:raed"]))
    assert ("unknown_permission", 400) == (caught.value.problem.code, caught.value.problem.status)
    assert ("datasets:raed", "datasets:read") == (caught.value.fields["permission"], caught.value.fields["nearest"])
    assert "Did you mean datasets:read?" in str(caught.value)


def test_an_overtaken_version_is_raised(client, issued):
    with pytest.raises(ProblemError) as caught:
        client.edit_key(issued.key.id, EditKey(name="b"), version=7)
    assert ("version_conflict", 1) == (caught.value.problem.code, caught.value.fields["version"])


@pytest.mark.parametrize("identity", ["../organizations", "a/b", "?x=1", "#", "..", "a b"])
def test_an_id_stays_one_segment_of_the_path(client, identity):
    with pytest.raises(ProblemError) as caught:
        client.show_key(identity)
    assert caught.value.problem.code in {"not_found", "unreadable_target"}


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "http://127.0.0.1.example.com", "http://10.0.0.1:8700", "ftp://127.0.0.1", "example.com"],
)
def test_a_key_is_sent_in_the_clear_to_this_machine_only(url):
    with pytest.raises(ValueError, match="https"):
        ManagementClient(url, "sck_live_x")


def test_plain_http_to_this_machine_asks_no_proxy(client, url, deployment, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with ManagementClient(url, deployment.operator) as fresh:
        assert client.whoami().key.id == fresh.whoami().key.id


def test_a_server_that_does_not_answer_is_named_and_the_key_is_not():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with ManagementClient(url, "sck_live_SECRET") as client, pytest.raises(UnreachableError) as caught:
            client.whoami()
    assert url in str(caught.value)
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("key", ["", "sck live", "sck_live_SECRET\n", "sck_live_SECRET…", "SECRET\r\nX-Other: 1"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_repeated(key):
    with pytest.raises(ValueError, match="the key") as caught:
        ManagementClient("http://127.0.0.1:1", key)
    assert "SECRET" not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.args)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"<html>", b'{"key": {}, "secret": "SECRET"}', b'{"code": "odd", "detail": ""}']
)
@pytest.mark.parametrize("status", [200, 302, 500])
def test_what_is_no_answer_of_ours_is_not_taken_for_one(status, body):
    async def other(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"location", b"http://127.0.0.1:9/")]}
        )
        await send({"type": "http.response.body", "body": body})

    with (
        serving(other) as url,
        ManagementClient(url, "sck_live_x") as client,
        pytest.raises(UnreachableError) as caught,
    ):
        client.create_key(CreateKey(name="a", permissions=[]))
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))


def test_neither_key_nor_secret_shows_where_objects_are_printed(client, issued, deployment, caplog):
    caplog.set_level(logging.DEBUG)
    client.whoami()
    question = Verify(key=issued.secret, permissions=[])
    shown = " ".join(map(repr, (client, vars(client), client._http.headers, issued, question))) + str(issued)
    for secret in (deployment.operator, issued.secret):
        assert secret not in shown + caplog.text


def test_a_question_that_is_malformed_does_not_repeat_its_key():
    with pytest.raises(ValueError, match="Verify") as caught:
        Verify(key="sck_live_SECRET", permissions=7)
    assert "SECRET" not in str(caught.value)
