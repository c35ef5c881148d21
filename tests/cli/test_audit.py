"""`scopekey audit …` on the home folder and over HTTP: search, tail, export."""

import csv
import io
import json
import select
import signal
import subprocess
import sys
import time
from functools import partial

import duckdb
import pytest

from scopekey.audit.entry import canonical
from scopekey.audit.merkle import leaf_hash
from scopekey.server.app import ControlPlane
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.store.engine import Store
from tests.cli.reading import pairs, rows
from tests.cli.terminal import at_a_terminal, plain
from tests.contract.sealed import HOSTILE, KEY, OTHER, decision
from tests.journeys.serving import environment, serve
from tests.server.running import serving


@pytest.fixture
def record(home, operator):
    """Let decisions arrive in the log of the home folder."""

    def record(*entries):
        store = Store.open(f"sqlite:///{home / 'scopekey.db'}")
        with store.writing() as tx:
            tx.entries.append([canonical(one) for one in entries])
        store.close()
        return entries

    return record


@pytest.fixture
def over_http(home, operator):
    """The settings with which a command asks a running server as the operator."""
    node = Node.open(Settings(home=home))
    with serving(ControlPlane(node, close=False)) as url:
        yield {"url": url, "api_key": operator}
    node.close()


def test_what_arrived_is_sealed_and_found_with_no_server_running(command, record):
    record(decision(1), decision(2, "missing_permission"))
    assert [
        ["1970-01-01 00:00:01.002Z", KEY, "GET /datasets/{dataset_id}", "refused: missing_permission", "datasets:read"],
        ["1970-01-01 00:00:01.001Z", KEY, "GET /datasets/{dataset_id}", "allowed", ""],
    ] == [row[1:] for row in rows(command("audit", "search", "--key", KEY).out)]


def test_a_search_is_narrowed_by_every_option(command, record):
    record(decision(1), decision(2, "missing_permission", organization=OTHER, object="42"), decision(3))
    for words, expected in (
        (("--decision", "refused"), ["2"]),
        (("--request-id", "req_3"), ["3"]),
        (("--category", "read Core Data", "--oldest"), ["1", "2", "3"]),
        (("--permission", "datasets:read", "-n", "1"), ["3"]),
        (("--operation", "GET /datasets/{dataset_id}", "--until", "1970-01-01T00:00:01.002Z"), ["1"]),
        (("--kind", "change", "--action", "key.issue", "--actor", "home", "--json"), []),
    ):
        found = command("audit", "search", "--json", "--key", KEY, *words)
        requests = [json.loads(line)["entry"]["request_id"] for line in found.out.splitlines()]
        assert [f"req_{number}" for number in expected] == requests, words
    issued = command("audit", "search", "--kind", "change", "--action", "key.issue", "--actor", "home")
    assert 1 == len(rows(issued.out))


def test_whatever_a_caller_wrote_one_entry_is_one_line(command, record):
    record(decision(1, operation=HOSTILE, object=HOSTILE, key=KEY))
    for words in (("search",), ("search", "--json"), ("tail", "--no-follow")):
        ended = command("audit", *words, "--request-id", "req_1")
        assert (0, 1) == (ended.code, len(ended.out.splitlines())), words
        assert ended.out[:-1].isprintable() or words != ("search", "--json")
        assert not set(ended.out[:-1]) & set("\x1b\x9b\u2028\u202e\r\x85")
    assert "\\x1b[31m" in command("audit", "search", "--request-id", "req_1").out


def test_at_a_terminal_whatever_a_caller_wrote_is_shown_escaped(record, home):
    record(decision(1, "missing_permission", operation=HOSTILE, key=KEY))
    for words in (("search",), ("tail", "--no-follow")):
        code, shown = at_a_terminal("audit", *words, "--key", KEY, home=home)
        assert (0, True) == (code, "a\\nb\\tc\\r\\x1b[31m\\x9b2J\\u2028\\u202e" in plain(shown)), words
        assert not set(plain(shown)) & set("\x1b\x9b\u2028\u202e")
        assert 1 == sum("missing_permission" in line for line in plain(shown).split("\n"))
    _, shown = at_a_terminal("audit", "verify", home=home)
    assert "the log is intact" in shown


def test_what_cannot_be_looked_for_is_said(command, operator):
    ended = command("audit", "search", "--since", "soon")
    assert (1, "") == (ended.code, ended.out)
    assert "7d" in ended.err


def test_a_key_in_the_environment_finds_what_is_its_organizations(command, record, issue, folder):
    tenant = pairs(command("organizations", "create", "Acme").out)["id"]
    words = ("-p", "scopekey_audit:read", "--organization", tenant, "--key-file", "auditor")
    command("keys", "create", "Auditor", *words)
    record(decision(1), decision(2, organization=tenant))
    printed = (folder / "auditor").read_text().strip()
    found = command("audit", "search", "--json", api_key=printed).out.splitlines()
    assert {tenant} == {json.loads(line)["entry"]["organization"] for line in found}
    assert 3 == len(found)
    ended = command("audit", "verify", api_key=printed)
    assert (0, True) == (ended.code, ended.out.startswith("3 entries of yours are in the log."))
    assert 1 == command("audit", "search", "--organization", OTHER, api_key=printed).code


def test_tail_shows_the_newest_in_the_order_in_which_they_came(command, record):
    record(*map(decision, range(30)))
    shown = rows(command("audit", "tail", "--no-follow", "-n", "3").out)
    assert ["1.027Z", "1.028Z", "1.029Z"] == [row[1][-6:] for row in shown]
    assert 20 == len(rows(command("audit", "tail", "--no-follow").out))
    assert "" == command("audit", "tail", "--no-follow", "-n", "0").out


class Watched:
    """`audit tail --json` as a process of its own, read line by line."""

    def __init__(self, *words, home, **more):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scopekey", "audit", "tail", "--json", *words],
            env=environment(home, **more),
            bufsize=0,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Whoever runs the tests in the background has it ignored, and so would this process.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def entry(self):
        """The next entry that it shows."""
        assert select.select([self._process.stdout], [], [], 30)[0], "nothing came"
        return json.loads(self._process.stdout.readline())["entry"]

    def interrupt(self):
        """Type Ctrl-C; gives the exit code and what was still written."""
        self._process.send_signal(signal.SIGINT)
        out, err = self._process.communicate(timeout=30)
        return self._process.returncode, out, err


@pytest.mark.journey
def test_tail_goes_on_with_what_comes_until_it_is_interrupted(record, home):
    record(decision(1))
    with Watched("--key", KEY, home=home) as tail:
        assert "req_1" == tail.entry()["request_id"]
        record(decision(2), decision(3, key="key_000000000009"), decision(4))
        assert ["req_2", "req_4"] == [tail.entry()["request_id"] for _ in range(2)]
        time.sleep(0.1)
        assert (130, b"", b"") == tail.interrupt()


@pytest.mark.journey
def test_over_http_tail_does_not_show_its_own_looking(record, home, operator):
    with serve(home) as port:
        asking = {"SCOPEKEY_URL": f"http://127.0.0.1:{port}", "SCOPEKEY_API_KEY": operator}
        with Watched("--kind", "decision", home=home, **asking) as tail:
            operations = {tail.entry()["operation"]}
            time.sleep(1.5)
            record(decision(1))
            while "GET /datasets/{dataset_id}" not in operations:
                operations.add(tail.entry()["operation"])
    # What it did at its beginning is told, as what anybody does.
    assert operations <= {"GET /datasets/{dataset_id}", "GET /v1/audit/checkpoint", "GET /v1/whoami"}


def test_an_export_is_written_to_a_file_or_a_pipe(command, record, folder):
    made = record(decision(1, object=HOSTILE), decision(2, "missing_permission"))
    words = ("audit", "export", "--key", KEY)
    lines = [json.loads(line) for line in command(*words).out.split("\n")[:-1]]
    assert [leaf_hash(canonical(one)).hex() for one in made] == [line["hash"] for line in lines]
    assert HOSTILE == lines[0]["entry"]["object"]
    ended = command(*words, "--format", "csv", "-o", "log.csv")
    assert (0, "") == (ended.code, ended.out)
    read = list(csv.DictReader(io.StringIO((folder / "log.csv").read_bytes().decode(), newline="")))
    assert [(HOSTILE, "allowed"), ("", "refused")] == [(row["object"], row["decision"]) for row in read]
    assert ["log.csv"] == [file.name for file in folder.iterdir() if "log.csv" in file.name]


def test_a_parquet_file_holds_what_the_entries_say(command, record, folder):
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x3000 + 0xE000)]))
    made = record(decision(1, object=HOSTILE), decision(2, object=everything[:12_000]), decision(3, "expired_key"))
    file = 'it\'s; "log".parquet'
    ended = command("audit", "export", "--key", KEY, "--format", "parquet", "-o", file)
    assert (0, "") == (ended.code, ended.out), ended.err
    with duckdb.connect() as engine:
        found = engine.read_parquet(str(folder / file))
        shown = engine.sql("SELECT object, decision, entry, time = TIMESTAMPTZ '1970-01-01 00:00:01.001+00' FROM found")
        told = shown.fetchall()
        assert "BIGINT" == str(found.types[found.columns.index("index")])
    assert [HOSTILE, everything[:12_000], None] == [row[0] for row in told]
    assert ["allowed", "allowed", "refused"] == [row[1] for row in told]
    assert [canonical(one).decode() for one in made] == [row[2] for row in told]
    assert [True, False, False] == [row[3] for row in told]


def test_an_export_that_fails_leaves_what_was_there(command, record, folder):
    (folder / "log.csv").write_text("before")
    assert 1 == command("audit", "export", "--since", "soon", "--format", "csv", "-o", "log.csv").code
    assert "before" == (folder / "log.csv").read_text()
    assert 2 == command("audit", "export", "--format", "parquet").code


def test_over_http_the_log_is_the_same(command, record, over_http, folder):
    record(decision(1, object=HOSTILE), *map(decision, range(2, 300)))
    at_home = command("audit", "search", "--key", KEY, "-n", "1000", "--local").out
    assert 299 == len(at_home.splitlines())
    assert at_home == command("audit", "search", "--key", KEY, "-n", "1000", **over_http).out
    for form in ("jsonl", "csv"):
        words = ("audit", "export", "--key", KEY, "--format", form)
        assert command(*words, "--local").out == command(*words, **over_http).out
    assert command("audit", "public-key", "--local").out == command("audit", "public-key", **over_http).out
    tail = ("audit", "tail", "--no-follow", "--key", KEY, "-n", "2")
    assert command(*tail, "--local").out == command(*tail, **over_http).out
    assert 1 == command("audit", "export", "--organization", "org_000000000000", **over_http).code
