"""What leaves the command line: plain lines for pipes, JSON for programs, and never a secret or somebody's escape."""

import json
import re

import pytest

from scopekey.cli.main import PRINTED
from scopekey.demo.platform import CATALOG
from tests.cli.reading import rows
from tests.cli.terminal import at_a_terminal
from tests.journeys.serving import scopekey

BOXES = re.compile(r"[\x1b\u2500-\u257f]")
# The line separator and the right-to-left override are no control characters to the management API.
HOSTILE = "Load\u2028key_000000000000\u202eevil\u200b"

EVERY = [
    ("--help",),
    ("--version",),
    ("nonsense",),
    ("init",),
    ("init", "--key-file", "another"),
    ("keys",),
    ("keys", "list"),
    ("keys", "list", "--json"),
    ("keys", "show", "KEY"),
    ("keys", "show", "KEY", "--json"),
    ("keys", "create", "One"),
    ("keys", "create", "One", "-p", "datasets:read", "--key-file", "k1"),
    ("keys", "create", "Two", "-p", "datasets:read", "--key-file", "k2", "--json"),
    ("keys", "create", "Three", "-p", "datasets:fly", "--key-file", "k3"),
    ("keys", "edit", "KEY", "--add", "jobs:read"),
    ("keys", "edit", "KEY", "--expires-in", "never"),
    ("keys", "rotate", "KEY", "--key-file", "k4"),
    ("keys", "rotate", "KEY", "--key-file", "k5", "--replace", "new", "--json"),
    ("keys", "reach", "KEY"),
    ("keys", "reach", "KEY", "--json"),
    ("keys", "revoke", "KEY", "--reason", "other"),
    ("keys", "revoke", "KEY", "--reason", "other", "--yes", "--json"),
    ("organizations", "create", "Acme", "--json"),
    ("organizations", "list"),
    ("organizations", "list", "--json"),
    ("check", "KEY", "datasets:read"),
    ("check", "-", "datasets:read"),
    ("check", "-", "GET /datasets", "--json"),
    ("check", "CANARY", "datasets:read"),
    ("keys", "show", "CANARY"),
    ("keys", "show", "KEY", "CANARY"),
    ("keys", "create", "CANARY", "-p", "datasets:read", "--key-file", "k6"),
    ("keys", "create", "Four", "-p", "CANARY", "--key-file", "k7"),
    ("keys", "list", "--text=CANARY"),
    ("CANARY",),
    ("rules", "explain", "GET /datasets"),
    ("rules", "import", "CANARY"),
    ("rules", "apply", "missing.toml"),
    ("catalog", "show"),
    ("catalog", "show", "--json"),
    ("catalog", "show", "--toml"),
    ("catalog", "apply", str(CATALOG)),
    ("pepper", "status"),
    ("pepper", "status", "--json"),
    ("db", "upgrade"),
    ("serve", "--port", "CANARY"),
]


@pytest.fixture
def every(command, operator, home, issue):
    """Run every command as an operator's key, which also stands on standard input."""
    key_id, _ = issue("datasets:read")
    secrets = [operator, *((home / name).read_text().strip() for name in ("pepper", "signing_key"))]

    def every():
        for words in EVERY:
            typed = [{"KEY": key_id}.get(word, word).replace("CANARY", operator) for word in words]
            yield words, command(*typed, stdin=operator + "\n", api_key=operator)

    return secrets, every


def test_no_command_tells_a_secret_into_a_pipe(every, folder):
    secrets, ended = every
    for words, (_, out, err) in ended():
        assert not [secret for secret in secrets if secret in out + err], words
        assert not PRINTED.search(out + err), words


def test_pipes_get_neither_colour_nor_boxes(every):
    for words, (_, out, err) in every[1]():
        assert not BOXES.search(out + err), words


def test_json_is_json_wherever_it_is_asked_for(every):
    told = [(words, ended.out) for words, ended in every[1]() if "--json" in words]
    assert 11 == len(told)
    for _, out in told:
        json.loads(out)


def test_every_command_that_is_given_a_key_as_an_argument_ends_with_2(every):
    given = [ended.code for words, ended in every[1]() if any("CANARY" in word for word in words)]
    assert [2] * 9 == given


def test_a_name_cannot_forge_a_line_or_move_the_cursor(command, issue):
    key_id, _ = issue("datasets:read", name=HOSTILE)
    assert 2 == len(command("keys", "list").out.splitlines())
    told = command("keys", "list").out + command("keys", "show", key_id).out
    assert all(character.isprintable() or character in "\t\n" for character in told)
    revoked = command("keys", "revoke", key_id, "--reason", "other")
    assert 1 == len(revoked.err.splitlines())


def test_json_keeps_a_hostile_name_as_it_is_but_escaped(command, issue):
    key_id, _ = issue("datasets:read", name=HOSTILE)
    listed = command("keys", "list", "--json").out
    assert HOSTILE == json.loads(listed)[1]["name"]
    assert listed.isascii()
    assert HOSTILE == json.loads(command("keys", "show", key_id, "--json").out)["name"]


def test_a_file_name_in_a_message_cannot_move_the_cursor(command, folder):
    ended = command("rules", "import", "a\x1b[2Jb")
    assert 2 == ended.code
    assert "\x1b" not in ended.err


def test_metadata_of_several_lines_stays_one_line(command, issue):
    key_id, _ = issue("datasets:read")
    command("keys", "edit", key_id, "--metadata", "note=one\nstatus\trevoked")
    names = [row[0] for row in rows(command("keys", "show", key_id).out)]
    assert 1 == names.count("status")


def test_a_pipe_that_takes_ascii_alone_gets_marks_and_names_escaped(operator, home, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ended = scopekey("check", "-", "datasets:read", home=home, input=operator)
    assert (0, "") == (ended.returncode, ended.stderr)
    assert "\\u2713 decision" in ended.stdout


def test_a_terminal_gets_a_heading_and_colour(operator, home):
    code, shown = at_a_terminal("keys", "list", home=home)
    assert 0 == code
    assert "\x1b[1m" in shown
    assert "permissions" in shown


def test_a_terminal_is_not_moved_by_a_hostile_name(issue, home):
    issue("datasets:read", name=HOSTILE)
    _, shown = at_a_terminal("keys", "list", home=home)
    assert not set(HOSTILE[4:5] + "\u202e\u200b") & set(shown)
