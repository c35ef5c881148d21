"""`scopekey check`: 0 allowed, 1 denied, 2 could not ask."""

import json

import pytest


@pytest.fixture
def key(command, issue, folder):
    (folder / "rules.toml").write_text(
        '[[rule]]\noperation = "GET /datasets/{dataset_id}"\nrequires = "datasets:read"\nobject = "dataset_id"\n'
        '[[rule]]\noperation = "POST /datasets"\nrequires = "datasets:write"\n'
        '[[rule]]\noperation = "GET /health"\npublic = true\n'
    )
    assert 0 == command("rules", "apply", "rules.toml", "--yes").code
    return issue("datasets:read")


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        ("datasets:read", (0, "allowed")),
        ("datasets:write", (1, "denied: missing_permission")),
        ("GET /datasets/42", (0, "dataset_id = 42")),
        ("POST /datasets", (1, "datasets:write")),
        ("GET /health", (0, "allowed: public")),
        ("GET /nowhere", (1, "denied: unlisted_operation")),
        ("GET /datasets/%2e%2e/x", (1, "denied: unreadable_target")),
    ],
)
@pytest.mark.parametrize("presented", [False, True], ids=["by id", "printed"])
def test_the_exit_code_is_the_verdict_and_the_steps_say_why(command, key, question, verdict, presented):
    (key_id, printed), (code, said) = key, verdict
    ended = command("check", "-", question, stdin=printed + "\n") if presented else command("check", key_id, question)
    assert code == ended.code
    assert said in ended.out
    assert printed not in ended.out + ended.err


@pytest.mark.parametrize("question", ["datasets", "dataset:read", "get", " /x", "GET /ü", "datasets:reed"])
def test_what_is_neither_a_permission_nor_a_call_could_not_be_asked(command, key, question):
    ended = command("check", key[0], question)
    assert 2 == ended.code
    assert "GET /datasets/1" in ended.err
    assert "" == ended.out


def test_an_unknown_id_is_denied(command, key):
    ended = command("check", "key_000000000000", "datasets:read")
    assert 1 == ended.code
    assert "denied: unknown_key" in ended.out


@pytest.mark.parametrize(
    ("sent", "reason"), [("", "malformed_key"), ("sck_live_short", "malformed_key"), ("another", "unknown_key")]
)
def test_a_printed_key_that_opens_nothing_is_denied_without_being_told(command, key, sent, reason):
    if sent == "another":
        sent = key[1][:-20] + "x" * 20
    ended = command("check", "-", "datasets:read", stdin=sent)
    assert 1 == ended.code
    assert f"denied: {reason}" in ended.out
    assert not sent or sent not in ended.out + ended.err


@pytest.mark.parametrize("extra", [(), ("and", "more")])
def test_a_printed_key_as_an_argument_is_refused_and_not_repeated(command, key, extra):
    ended = command("check", key[1], "datasets:read", *extra)
    assert 2 == ended.code
    assert key[1] not in ended.out + ended.err
    assert "standard input" in ended.err


def test_anything_else_than_an_id_is_refused_and_not_repeated(command, key):
    ended = command("check", "hunter2-secret", "datasets:read")
    assert 2 == ended.code
    assert "hunter2" not in ended.out + ended.err


def test_a_key_limited_to_networks_is_allowed_from_there_alone(command, key):
    command("keys", "edit", key[0], "--network", "10.0.0.0/8")
    assert 0 == command("check", key[0], "datasets:read", "--address", "10.1.2.3").code
    assert 1 == command("check", key[0], "datasets:read", "--address", "192.0.2.1").code
    assert 1 == command("check", key[0], "datasets:read").code


def test_json_gives_the_same_steps(command, key):
    ended = command("check", key[0], "POST /datasets", "--json")
    assert 1 == ended.code
    steps = json.loads(ended.out)
    assert {"question": "decision", "found": "denied: missing_permission", "passed": False} == steps[-1]


def test_without_a_home_folder_nothing_can_be_asked(command, folder):
    ended = command("check", "key_000000000000", "datasets:read")
    assert 2 == ended.code
    assert "scopekey init" in ended.err
    assert [] == list(folder.iterdir())


def test_while_a_server_is_named_the_home_folder_is_not_asked_by_mistake(command, key):
    ended = command("check", key[0], "datasets:read", url="http://127.0.0.1:1", api_key=key[1])
    assert 2 == ended.code
    assert "SCOPEKEY_URL" in ended.err
