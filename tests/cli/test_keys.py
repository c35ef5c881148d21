"""`scopekey keys …` on the home folder, into pipes."""

import json

import pytest

from tests.cli.reading import pairs, rows
from tests.cli.terminal import at_a_terminal


def shown(command, key_id):
    return json.loads(command("keys", "show", key_id, "--json").out)


def test_a_key_is_issued_into_a_file_and_shown_in_words(command, issue):
    key_id, printed = issue("datasets:read", "queries:read")
    ended = command("keys", "show", key_id)
    told = pairs(ended.out)
    assert "Read Datasets and Queries; changes nothing." == told["purpose"]
    assert "active" == told["status"]
    assert "datasets:read, queries:read" == told["permissions"]
    assert 0 == command("check", "-", "queries:read", stdin=printed).code


def test_without_a_terminal_or_a_file_no_key_is_made(command, operator):
    before = command("keys", "list").out
    ended = command("keys", "create", "Dashboard", "-p", "datasets:read")
    assert 2 == ended.code
    assert "--key-file" in ended.err
    assert before == command("keys", "list").out


def test_everything_that_create_takes_is_kept(command, operator, folder):
    ended = command(
        *("keys", "create", "Nightly", "--preset", "data_ingestion", "--expires-in", "30d", "--environment", "test"),
        *("--network", "10.0.0.0/8", "--metadata", "team=data", "--key-file", "key", "--json"),
    )
    key = json.loads(ended.out)
    assert "test" == key["environment"]
    assert ["10.0.0.0/8"] == key["allowed_networks"]
    assert {"team": "data"} == key["metadata"]
    assert (folder / "key").read_text().startswith("sck_test_")


def test_an_unknown_permission_is_refused_with_the_nearest(command, operator, folder):
    ended = command("keys", "create", "Dashboard", "-p", "dataset:read", "--key-file", "key")
    assert 1 == ended.code
    assert "Did you mean datasets:read?" in ended.err
    assert not (folder / "key").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--expires-in", "soon"),
        ("--network", "home"),
        ("--metadata", "a b=c"),
        ("--metadata", "team"),
        ("--preset", "data_ingestion"),
        ("--expires-in", "1d", "--never-expires"),
    ],
)
def test_what_makes_no_sense_could_not_be_asked(command, operator, words):
    ended = command("keys", "create", "Dashboard", "-p", "datasets:read", "--key-file", "key", *words)
    assert 2 == ended.code
    assert 1 == len(ended.err.splitlines())


def test_the_list_is_one_plain_line_for_each_key(command, issue):
    first, _ = issue("datasets:read", name="One")
    second, _ = issue("queries:read", name="Two")
    found = rows(command("keys", "list").out)
    assert ["First key", "One", "Two"] == [row[1] for row in found]
    assert [first, second] == [row[0] for row in found[1:]]
    assert {7} == {len(row) for row in found}


def test_the_list_is_filtered(command, issue):
    reads, _ = issue("datasets:read", name="One")
    issue("queries:read", name="Two")
    assert ["One"] == [row[1] for row in rows(command("keys", "list", "--text", "one").out)]
    holders = rows(command("keys", "list", "--permission", "queries:read").out)
    assert ["First key", "Two"] == [row[1] for row in holders]
    command("keys", "revoke", reads, "--reason", "unused", "--yes")
    assert ["One"] == [row[1] for row in rows(command("keys", "list", "--status", "revoked").out)]


def test_a_list_longer_than_a_page_is_whole(command, issue, monkeypatch):
    for _ in range(3):
        issue("datasets:read")
    from scopekey.cli import keys

    all_ = keys._all
    pages = []

    class Counting:
        def __init__(self, manage):
            self.manage = manage

        def list_keys(self, **query):
            pages.append(query["cursor"])
            return self.manage.list_keys(**{**query, "limit": 2})

    monkeypatch.setattr(keys, "_all", lambda manage, **query: all_(Counting(manage), **query))
    assert 4 == len(rows(command("keys", "list").out))
    assert 2 == len(pages)


def test_permissions_are_added_and_removed_and_the_secret_stays(command, issue):
    key_id, printed = issue("datasets:read", "queries:read")
    ended = command("keys", "edit", key_id, "--add", "datasets:write", "--remove", "queries:read")
    assert "datasets:read, datasets:write" == pairs(ended.out)["permissions"]
    assert 0 == command("check", "-", "datasets:write", stdin=printed).code
    assert 1 == command("check", "-", "queries:read", stdin=printed).code


def test_all_permissions_can_be_set_at_once(command, issue):
    key_id, _ = issue("datasets:read", "queries:read")
    command("keys", "edit", key_id, "-p", "jobs:read", "--name", "Watcher", "--network", "10.0.0.0/8")
    key = shown(command, key_id)
    assert (["jobs:read"], "Watcher", ["10.0.0.0/8"]) == (key["permissions"], key["name"], key["allowed_networks"])


def test_the_whole_grant_and_a_change_of_it_exclude_each_other(command, issue):
    key_id, _ = issue("datasets:read")
    assert 2 == command("keys", "edit", key_id, "-p", "jobs:read", "--add", "queries:read").code
    assert ["datasets:read"] == shown(command, key_id)["permissions"]


@pytest.mark.parametrize("filtered", [("--status", "gone"), ("--expiring-within", "soon")])
def test_a_filter_that_makes_no_sense_could_not_be_asked(command, operator, filtered):
    ended = command("keys", "list", *filtered)
    assert (2, "") == (ended.code, ended.out)


def test_a_removed_permission_that_was_not_held_changes_nothing_else(command, issue):
    key_id, _ = issue("datasets:read")
    command("keys", "edit", key_id, "--remove", "jobs:read")
    assert ["datasets:read"] == shown(command, key_id)["permissions"]


def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(command, issue, folder):
    key_id, old = issue("datasets:read")
    ended = command("keys", "rotate", key_id, "--overlap", "1h", "--key-file", "new")
    assert "1 until" in pairs(ended.out)["secrets"]
    new = (folder / "new").read_text().strip()
    assert [0, 0] == [command("check", "-", "datasets:read", stdin=printed).code for printed in (old, new)]
    again = command("keys", "rotate", key_id, "--overlap", "0s", "--replace", "old", "--key-file", "newer")
    assert 0 == again.code
    newer = (folder / "newer").read_text().strip()
    assert [1, 0] == [command("check", "-", "datasets:read", stdin=printed).code for printed in (old, newer)]


def test_a_rotation_into_a_pipe_gives_no_new_secret(command, issue):
    key_id, _ = issue("datasets:read")
    assert 2 == command("keys", "rotate", key_id).code
    assert 1 == len(shown(command, key_id)["secrets"])


def test_a_revocation_asks_and_without_a_terminal_needs_yes(command, issue):
    key_id, printed = issue("datasets:read")
    ended = command("keys", "revoke", key_id, "--reason", "compromised")
    assert 2 == ended.code
    assert "--yes" in ended.err
    assert "active" == shown(command, key_id)["status"]
    ended = command("keys", "revoke", key_id, "--reason", "compromised", "--comment", "In a log", "--yes")
    assert "compromised" in pairs(ended.out)["status"]
    assert 1 == command("check", "-", "datasets:read", stdin=printed).code


def test_a_revocation_needs_one_of_the_reasons(command, issue):
    key_id, _ = issue("datasets:read")
    assert 2 == command("keys", "revoke", key_id, "--yes").code
    assert 2 == command("keys", "revoke", key_id, "--reason", "bored", "--yes").code
    assert "active" == shown(command, key_id)["status"]


def test_reach_lists_what_a_key_opens(command, issue, folder):
    (folder / "rules.toml").write_text(
        '[[rule]]\noperation = "GET /datasets"\nrequires = "datasets:read"\n'
        '[[rule]]\noperation = "POST /datasets"\nrequires = "datasets:write"\n'
        '[[rule]]\noperation = "GET /health"\npublic = true\n'
    )
    command("rules", "apply", "rules.toml", "--yes")
    key_id, _ = issue("datasets:read")
    ended = command("keys", "reach", key_id)
    assert [["GET /datasets", "this key"], ["GET /health", "anybody"]] == rows(ended.out)
    assert "1 open, 1 closed, 1 public" in ended.err


@pytest.mark.parametrize("words", [("show",), ("reach",), ("edit",), ("rotate", "--key-file", "k")])
def test_an_unknown_key_is_refused(command, operator, words):
    ended = command("keys", words[0], "key_000000000000", *words[1:])
    assert 1 == ended.code
    assert "There is no key with that id." in ended.err


class TestTheLastKeyThatCanManageKeys:
    def last(self, command):
        return rows(command("keys", "list").out)[0][0]

    def test_its_revocation_says_so_and_no_keeps_it(self, command, operator, home):
        key_id = self.last(command)
        code, said = at_a_terminal(
            *("keys", "revoke", key_id, "--reason", "other"), home=home, answers=[("[y/N]", "n")]
        )
        assert 1 == code
        assert "It is the last key of its organization that can manage keys." in said
        assert "active" == shown(command, key_id)["status"]

    def test_yes_revokes_it_and_the_machine_makes_another(self, command, operator, home, folder):
        key_id = self.last(command)
        code, said = at_a_terminal(
            *("keys", "revoke", key_id, "--reason", "other"), home=home, answers=[("[y/N]", "y")]
        )
        assert 0 == code
        assert "scopekey keys create --local" in said
        refused = command("keys", "create", "Another", "-p", "scopekey_keys:write", "--key-file", "k", api_key=operator)
        assert 2 == refused.code
        assert "--local" in refused.err
        made = command(
            *("keys", "create", "Another", "-p", "scopekey_keys:write", "--key-file", "k", "--local"), api_key=operator
        )
        assert 0 == made.code
        assert 0 == command("check", "-", "scopekey_keys:write", stdin=(folder / "k").read_text()).code

    def test_of_two_the_first_revocation_does_not_say_so(self, command, issue, home):
        key_id, _ = issue("scopekey_keys:write")
        code, said = at_a_terminal(
            *("keys", "revoke", key_id, "--reason", "other"), home=home, answers=[("[y/N]", "y")]
        )
        assert 0 == code
        assert "last key" not in said


def test_the_networks_of_a_key_can_be_opened_again(command, issue):
    key_id, _ = issue("datasets:read")
    command("keys", "edit", key_id, "--network", "10.0.0.0/8")
    assert 0 == command("keys", "edit", key_id, "--any-network").code
    assert [] == shown(command, key_id)["allowed_networks"]
