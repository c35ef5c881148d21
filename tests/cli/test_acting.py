"""Who a command acts as, and on what."""

import json

import pytest

from tests.cli.reading import pairs, rows
from tests.journeys.serving import serve


@pytest.fixture
def reader(issue):
    """A key that may look at keys, and nothing else."""
    return issue("scopekey_keys:read", name="Reader")[1]


def test_a_key_in_the_environment_acts_with_what_it_holds(command, reader):
    assert 2 == len(rows(command("keys", "list", api_key=reader).out))
    ended = command("keys", "create", "More", "-p", "scopekey_keys:read", "--key-file", "k", api_key=reader)
    assert 1 == ended.code
    assert "access_tokens:write" in ended.err


def test_a_key_cannot_hand_out_what_it_does_not_hold(command, issue):
    _, manager = issue("scopekey_keys:write", "scopekey_keys:read", "datasets:read")
    words = ("keys", "create", "More", "--key-file", "k")
    ended = command(*words, "-p", "datasets:write", api_key=manager)
    assert (1, True) == (ended.code, "datasets:write" in ended.err)
    ended = command(*words, "-p", "datasets:read", "--expires-in", "1d", api_key=manager)
    assert 0 == ended.code
    assert pairs(ended.out)["created"].split(" by ")[1].startswith("key key_")


def test_local_acts_as_the_machine_whatever_the_environment_says(command, reader):
    words = ("keys", "create", "More", "-p", "datasets:read", "--key-file", "k", "--local")
    ended = command(*words, api_key=reader, url="http://127.0.0.1:1")
    assert 0 == ended.code
    assert "by machine home" in pairs(ended.out)["created"]


@pytest.mark.parametrize("key", ["nonsense", "sck_live_" + "a" * 61])
def test_a_key_that_is_refused_acts_as_nobody(command, operator, key):
    ended = command("keys", "list", api_key=key)
    assert (2, "") == (ended.code, ended.out)
    assert "--local" in ended.err
    assert key not in ended.err


def test_a_revoked_key_acts_as_nobody(command, issue):
    key_id, printed = issue("scopekey_keys:read")
    command("keys", "revoke", key_id, "--reason", "other", "--yes")
    assert 2 == command("keys", "list", api_key=printed).code


def test_a_server_without_a_key_to_act_with_is_refused(command, operator):
    ended = command("keys", "list", url="http://127.0.0.1:1")
    assert 2 == ended.code
    assert "SCOPEKEY_API_KEY" in ended.err


def test_a_key_is_not_sent_in_the_clear(command, operator):
    ended = command("keys", "list", url="http://192.0.2.1", api_key=operator)
    assert 2 == ended.code
    assert "https" in ended.err


def test_a_server_that_does_not_answer_is_told_without_the_key(command, operator):
    ended = command("keys", "list", url="http://127.0.0.1:1", api_key=operator)
    assert 2 == ended.code
    assert "did not answer" in ended.err
    assert operator not in ended.err


@pytest.mark.journey
def unused(listed):
    """A list of keys without when they were last used: asking over HTTP uses one."""
    return [[field for at, field in enumerate(row) if at != 5] for row in rows(listed.out)]


def test_over_http_every_command_does_what_it_does_at_home(command, operator, home, folder):
    with serve(home) as port:
        over = {"url": f"http://127.0.0.1:{port}", "api_key": operator}
        made = command("keys", "create", "Dashboard", "-p", "datasets:read", "--key-file", "key", **over)
        key_id = pairs(made.out)["id"]
        assert made.out == command("keys", "show", key_id, "--local").out
        assert unused(command("keys", "list", "--local")) == unused(command("keys", "list", **over))
        edited = command("keys", "edit", key_id, "--add", "queries:read", **over)
        assert "datasets:read, queries:read" == pairs(edited.out)["permissions"]
        assert 0 == command("keys", "reach", key_id, **over).code
        assert 0 == command("keys", "rotate", key_id, "--overlap", "0s", "--key-file", "new", **over).code
        assert 0 == command("check", "-", "queries:read", stdin=(folder / "new").read_text()).code
        tenant = pairs(command("organizations", "create", "Acme", **over).out)["id"]
        renamed = command("organizations", "edit", tenant, "--name", "Acme Ltd", "--json", **over)
        assert "Acme Ltd" == json.loads(renamed.out)["name"]
        assert 2 == len(rows(command("organizations", "list", **over).out))
        assert 0 == command("keys", "revoke", key_id, "--reason", "other", "--yes", **over).code
        assert 1 == command("check", "-", "queries:read", stdin=(folder / "new").read_text()).code
        narrow = (folder / "new").read_text().strip()
        refused = command("keys", "list", url=over["url"], api_key=narrow)
        assert 1 == refused.code
        assert refused.err.startswith("Revoked key: ")
