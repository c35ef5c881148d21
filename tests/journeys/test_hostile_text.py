"""Promise: whatever outsiders write, wherever they can, one event stays one entry, one line, one row, and is proved.

Each text goes into every field that somebody else than us fills. Then the log is sealed and read in every way.
"""

import contextlib
import csv
import io
import json
import random
import re
import sys
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from scopekey.audit.merkle import leaf_hash
from scopekey.audit.note import VerifierKey
from scopekey.audit.proof import check_proof, read_proof
from scopekey.cli.main import run
from scopekey.demo.serving import listen, serving
from scopekey.insight.export_rows import COLUMNS
from scopekey.server.api.journal import EXAMPLE
from scopekey.server.app import ControlPlane
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.store.migrate import upgrade
from tests.server.running import CATALOG, RULES
from tests.server.running import settings as deployed

pytestmark = pytest.mark.journey

TEXTS = [
    *("", " ", "\n", "\r\n", "a\nb", "a\rb", "a\tb", "\0", "a\0b", "\x1b[2J\x1b]0;title\x07", "\x9b31m", "\x85"),
    *("\x7f", "\u2028", "a\u2029b", "\u202egnp.exe", "\u2066\u2069", "\ufeff", "\u200b", "e\u0301", "\u00e9"),
    *("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://a")', "\t=1", '"', '""', "a,b;c", "'; DROP TABLE x; --"),
    *("\ud800", "\udfff", "a\udc80b", "\U0001f600", "\ud83d", "\ufffe", "\U0010ffff", "%00", "%0a", "..", "../.."),
    *("%2e%2e", "a/b", "\\", '{"a":1}', "null", "<script>", "${jndi:ldap://a}", "{0.__class__}", "%s%n", "\\u0000"),
    *("\\n", "x" * 500, "x" * 10_240, "\u2028" * 3_000, "\n" * 2_000, '"' * 8_000, "\U0001f600" * 2_500),
]
ALPHABET = strategies.characters(codec=None, exclude_categories=())


class World:
    """A deployment, and how to say a text in every place."""

    def __init__(self, folder, url):
        (folder / "catalog.toml").write_text(CATALOG, "utf-8")
        (folder / "rules.toml").write_text(RULES.replace('/run"', '/run"\nobject = "query_id"'), "utf-8")
        self.words = {} if url is None else {"database_url": url}
        self.settings = deployed(folder, **self.words)
        self.operator = begin(self.settings)
        self.node = Node.open(self.settings)
        self.patch = pytest.MonkeyPatch()
        self.http = httpx.Client(timeout=20, trust_env=False)
        self.draw = random.Random(6)
        self.files = 0

    def call(self, method, path, body=None, **fields):
        """Make a call as the operator; whatever was sent, it is no fault of ours. Gives the answer."""
        headers = {"Authorization": f"Bearer {self.operator}", "Content-Type": "application/json"} | fields
        sent = {
            name: value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
            for name, value in headers.items()
        }
        content = None if body is None else json.dumps(body)
        answer = None
        # What the client itself will not send, no server gets from it.
        with contextlib.suppress(httpx.LocalProtocolError, httpx.InvalidURL):
            answer = self.http.request(method, self.url + path, content=content, headers=sent)
            assert answer.status_code < 500, (method, path[:100], body, answer.text)
        return answer

    def say(self, text):
        """Put a text into every field that somebody may fill, one after the other."""
        asked = {"name": "plain", "permissions": ["datasets:read", "queries:write"]}
        made = self.call("POST", "/v1/keys", asked).json()
        key = made["key"]["id"]
        self.call("POST", "/v1/keys", {"name": text, "permissions": []}, **{"Idempotency-Key": text})
        self.call("PATCH", f"/v1/keys/{key}", {"name": text})
        self.call("PATCH", f"/v1/keys/{key}", {"metadata": {"note": text, "more": text}})
        self.call("PATCH", f"/v1/keys/{key}", {"metadata": {text: "note"}})
        self.call("POST", "/v1/organizations", {"name": text})
        encoded = quote(text.encode("utf-8", "surrogatepass"), safe="")
        self.call("GET", f"/v1/keys/{encoded[:6_000]}", **{"X-Request-Id": text, "User-Agent": text})
        told = {"X-Original-Method": "POST", "X-Original-URI": "/queries/1/run", "X-Original-Client": "192.0.2.7"}
        bearer = {"Authorization": f"Bearer {made['secret']}"}
        for more in (
            {"X-Original-URI": f"/queries/{encoded}/run"},
            {"X-Original-URI": f"/queries/{text}/run"},
            {"X-Original-URI": f"/queries/1/run?{text}"},
            {"X-Original-Method": text},
            {"X-Original-Client": text},
            {"X-Forwarded-For": text, "User-Agent": text},
            {"Authorization": text},
            {"Authorization": f"Bearer {text}"},
        ):
            self.call("GET", "/check/nginx", **(bearer | told | more))
        for more in (
            {"key": text},
            {"operation": f"POST /queries/{encoded}/run"},
            {"address": text},
            {"operation": text},
        ):
            asked = {"key": made["secret"], "operation": "POST /queries/1/run"} | more
            self.call("POST", "/v1/verify", asked)
        self.hand_up(text)
        self.call("POST", f"/v1/keys/{key}/revoke", {"reason": "other", "comment": text})

    def hand_up(self, text):
        """What a verifier elsewhere hands up is written by its own callers."""
        row = [*EXAMPLE["decisions"][0]]
        for place, value in ((8, text), (9, text), (10, text), (7, [text])):
            self.files += 1
            decided = [*row[:place], value, *row[place + 1 :]]
            batch = EXAMPLE | {"file": f"{self.files:016x}", "decisions": [decided]}
            self.call("POST", "/v1/journal", batch)
        operation = [text, [[text]], [[text, text]], False]
        self.files += 1
        self.call("POST", "/v1/journal", EXAMPLE | {"file": f"{self.files:016x}", "operations": [operation]})
        self.files += 1
        refused = [1_799_999_940_000, text, text, 17]
        self.call("POST", "/v1/journal", EXAMPLE | {"file": f"{self.files:016x}", "refusals": [refused]})

    def command(self, *words):
        """Run a command into a pipe, and give what it told."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), io.StringIO()
        with self.patch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            for name, value in {"home": self.settings.home, **self.words}.items():
                patch.setenv(f"SCOPEKEY_{name.upper()}", str(value))
            patch.setattr(sys, "argv", ["scopekey", *map(str, words)])
            code = 0
            try:
                run()
            except SystemExit as ended:
                code = ended.code or 0
        assert 0 == code, err.getvalue()
        out.flush()
        return out.buffer.getvalue().decode()

    def sealed(self):
        """Seal what arrived; gives how many entries there are."""
        self.node.hand_over()
        self.node.seal()
        with self.node.store.reading() as tx:
            assert 0 == tx.log.waiting()
            return tx.log.state().size


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request, tmp_path_factory):
    url = None
    if request.param == "postgresql":
        import psycopg

        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE hostile_text")
        url = server.get_uri("hostile_text")
        upgrade(url)
    world = World(tmp_path_factory.mktemp("hostile"), url)
    with serving(ControlPlane(world.node, close=False), listen(0)) as world.url:
        # What a column takes differs between the two; what comes before it is the same.
        world.texts = TEXTS if url is None else TEXTS[::3]
        for text in world.texts:
            world.say(text)
        yield world
    world.node.close()
    world.http.close()
    world.patch.undo()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=strategies.text(ALPHABET, max_size=60))
def test_any_text_in_any_field_is_answered_and_never_breaks_anything(world, text):
    world.say(text)


def test_all_of_it_is_sealed_and_verified(world):
    size = world.sealed()
    assert size > 10 * len(world.texts)
    assert world.command("audit", "verify").startswith(f"{size} entries, ")


READINGS = [("search",), ("search", "--json"), ("tail", "--no-follow"), ("tail", "--no-follow", "--json")]


@pytest.mark.parametrize("words", READINGS, ids=" ".join)
def test_one_entry_is_one_line_that_moves_no_terminal(world, words):
    size = world.sealed()
    lines = world.command("audit", *words, "-n", 100_000).split("\n")
    assert (size, "") == (len(lines) - 1, lines[-1])
    for line in lines[:-1]:
        assert line.replace("\t", " ").isprintable(), line
        assert [line] == line.splitlines()
        if "--json" in words:
            assert isinstance(json.loads(line)["entry"]["nonce"], str)
        else:
            assert 5 == line.count("\t"), line


def test_what_is_exported_reads_back_exactly(world):
    size = world.sealed()
    lines = world.command("audit", "export").split("\n")
    assert (size, "") == (len(lines) - 1, lines[-1])
    assert size == len(world.command("audit", "export").encode().split(b"\n")) - 1
    head, *rows = csv.reader(io.StringIO(world.command("audit", "export", "--format", "csv"), newline=""))
    assert (list(COLUMNS), size) == (head, len(rows))
    said = set()
    for line, cells in zip(lines, rows, strict=False):
        row = dict(zip(COLUMNS, cells, strict=True))
        read = json.loads(line)
        assert read["hash"] == row["hash"] == leaf_hash(row["entry"].encode()).hex()
        assert line.endswith(f'"entry":{row["entry"]}}}')
        entry = read["entry"]
        for name in ("object", "operation", "address", "request_id"):
            assert entry.get(name, "") == row[name], name
        assert entry.get("after") == (json.loads(row["after"]) if row["after"] else None)
        said |= {entry.get("object"), (entry.get("after") or {}).get("name")}
    there = {"\U0001f600", "\u202egnp.exe", "=1+1", '"', "<script>", "\u00e9"} & set(world.texts)
    assert there <= said, "they got there"


def test_whatever_an_entry_says_it_is_proved_with_the_public_key_alone(world):
    size = world.sealed()
    key = VerifierKey.parse(world.command("audit", "public-key").strip())
    for index in world.draw.sample(range(size), 12):
        proof = read_proof(world.command("audit", "prove", index).encode())
        assert index == proof.index
        check_proof(proof, key)


def test_what_is_too_long_for_an_entry_is_refused_and_changes_nothing(world):
    made = world.call("POST", "/v1/keys", {"name": "long", "permissions": []}).json()
    for sign in ("\U0001f600", '"', "\U0001f601"):
        long = {"metadata": {str(number): sign * 500 for number in range(20)}}
        answer = world.call("PATCH", f"/v1/keys/{made['key']['id']}", long)
        assert answer.status_code in {200, 422}, answer.text
    size = world.sealed()
    assert re.match(rf"{size} entries, ", world.command("audit", "verify"))
