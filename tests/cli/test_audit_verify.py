"""`scopekey audit verify`, `prove` and `verify-proof`: what can be shown to somebody else."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from scopekey.authority.archive_log import archive_log
from scopekey.store.engine import Store
from tests.cli.reading import pairs
from tests.cli.test_audit import over_http, record  # noqa: F401 - fixtures
from tests.contract.sealed import KEY, decision


@pytest.fixture
def sealed(record, command, folder):  # noqa: F811 - the fixture
    """A log of 300 decisions and what came before; gives the file of its public key."""
    record(*map(decision, range(300)))
    (folder / "log.pub").write_text(command("audit", "public-key").out)
    return folder / "log.pub"


@pytest.fixture
def tenant(command, sealed, over_http, record, folder):  # noqa: F811 - fixtures
    """The index of an entry of a tenant, and the settings with which it asks a running server."""
    identity = pairs(command("organizations", "create", "Acme").out)["id"]
    words = ("-p", "scopekey_audit:read", "--organization", identity, "--key-file", "auditor")
    command("keys", "create", "Auditor", *words)
    record(decision(900, organization=identity))
    own = {"url": over_http["url"], "api_key": (folder / "auditor").read_text().strip()}
    return index_of(command, "req_900"), own


@pytest.fixture
def tamper(home):
    """Change the database behind everybody's back."""

    def tamper(statement):
        with sqlite3.connect(home / "scopekey.db") as connection:
            connection.execute(statement)

    return tamper


def index_of(command, request_id):
    return json.loads(command("audit", "search", "--request-id", request_id, "--json").out)["index"]


def test_a_log_that_nobody_touched_is_intact(command, sealed):
    ended = command("audit", "verify")
    assert (0, "") == (ended.code, ended.err)
    assert "304 entries, 1 checkpoint: the log is intact. Head: 304 " in ended.out
    assert ended.out == command("audit", "verify", "--public-key", sealed).out


def test_a_changed_entry_is_named_on_one_line(command, sealed, tamper):
    tamper("UPDATE entries SET body = CAST(replace(body, 'req_', 'rep_') AS BLOB) WHERE log_index = 9")
    ended = command("audit", "verify")
    assert (1, "") == (ended.code, ended.out)
    assert 1 == len(ended.err.splitlines())
    assert ended.err.startswith("The log is not intact: entry 9 ")


def test_a_head_kept_elsewhere_shows_that_the_log_was_cut_or_put_back(command, sealed, record, home, folder):  # noqa: F811
    older = folder / "older"
    shutil.copytree(home, older)
    record(decision(900))
    heads = folder / "heads"
    assert 0 == command("audit", "search", log_heads=heads).code
    assert 0 == command("audit", "verify", "--head", heads).code
    note = json.loads(heads.read_text())["checkpoint"]
    for name, content in (
        ("note", note),
        ("notes", note + "\n" + note),
        ("torn", heads.read_text() + '{"at":12,"check'),
    ):
        (folder / name).write_text(content)
        assert 0 == command("audit", "verify", "--head", name).code, name
        ended = command("audit", "verify", "--head", name, home=older)
        assert (1, "") == (ended.code, ended.out), name
        assert "a head kept elsewhere is of 305 entries, and the log has 304" in ended.err
    for content in ("", "nothing", '{"at":1}\n', "{}"):
        (folder / "none").write_text(content)
        assert command("audit", "verify", "--head", "none").code in {1, 2}


def test_an_empty_log_says_so(command, operator, tamper):
    tamper("DELETE FROM arrivals")
    ended = command("audit", "verify")
    assert (0, "The log holds no entry yet.\n") == (ended.code, ended.out)


def test_a_damaged_entry_is_said_where_it_is_looked_for(command, sealed, tamper):
    tamper("UPDATE entries SET body = CAST(body AS TEXT) WHERE log_index = 9")
    for words in (("search", "-n", "400"), ("prove", "9"), ("export",), ("tail", "--no-follow", "-n", "400")):
        ended = command("audit", *words)
        assert (2, True) == (ended.code, "the entry 9 of the log is damaged" in ended.err), words


def test_over_http_the_operator_verifies_everything_here(command, sealed, over_http, tamper, folder):  # noqa: F811
    ended = command("audit", "verify", "--public-key", sealed, **over_http)
    assert (0, True) == (ended.code, "304 entries, 1 checkpoint: the log is intact" in ended.out)
    tamper("UPDATE entries SET body = CAST(replace(body, 'req_', 'rep_') AS BLOB) WHERE log_index = 9")
    ended = command("audit", "verify", "--public-key", sealed, **over_http)
    assert (1, True) == (ended.code, " entry 9 " in ended.err)


def test_over_http_an_organization_verifies_that_its_entries_are_in_the_log(command, sealed, tenant, tamper):
    index, own = tenant
    ended = command("audit", "verify", "--public-key", sealed, **own)
    assert (0, "3 entries of yours are in the log. Head: 307 ") == (ended.code, ended.out[:-65])
    tamper(f"UPDATE entries SET body = CAST(replace(body, 'req_', 'rep_') AS BLOB) WHERE log_index = {index}")
    ended = command("audit", "verify", "--public-key", sealed, **own)
    assert (1, True) == (ended.code, f"the entry {index} is not in the log" in ended.err)
    tamper("UPDATE tiles SET hashes = randomblob(length(hashes))")
    ended = command("audit", "verify", "--public-key", sealed, **own)
    assert (1, True) == (ended.code, "do not lead to the checkpoint of 307 entries" in ended.err)


def test_another_logs_public_key_is_refused(command, sealed, folder):
    wrong = "example.com/log+" + sealed.read_text().partition("+")[2]
    (folder / "wrong.pub").write_text(wrong)
    assert 2 == command("audit", "verify", "--public-key", "wrong.pub").code
    other = folder / "other"
    assert 0 == command("init", "--key-file", "other.key", home=other).code
    (folder / "other.pub").write_text(command("audit", "public-key", home=other).out)
    ended = command("audit", "verify", "--public-key", "other.pub")
    assert (1, True) == (ended.code, "cannot be believed" in ended.err)


def test_an_archive_is_verified_by_itself_and_with_the_database(command, sealed, home, folder):
    archive = folder / "archive"
    store = Store.open(f"sqlite:///{home / 'scopekey.db'}")
    archive_log(store, archive, before=2**53)
    store.close()
    ended = command("audit", "verify", "--log", archive, "--public-key", sealed)
    assert (0, True) == (ended.code, ended.out.startswith("256 of 304 entries are here, and intact"))
    # That entries were moved is an entry, too.
    assert "49 entries from 256 on, 2 checkpoints" in command("audit", "verify").out
    assert "305 entries, 2 checkpoints" in command("audit", "verify", audit_archive=archive).out
    assert 2 == command("audit", "verify", "--log", archive).code
    bundle = archive / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b"req_7", b"req_8", 1))
    for words, settings in ((("--log", archive, "--public-key", sealed), {}), ((), {"audit_archive": archive})):
        ended = command("audit", "verify", *words, **settings)
        assert (1, True) == (ended.code, f"entry {4 + 7} does not fit the hash that was sealed" in ended.err)
    (archive / "tile/0/001.p/48").write_bytes(bytes(48 * 32))
    bundle.write_bytes(bundle.read_bytes().replace(b"req_8", b"req_7", 1))
    ended = command("audit", "verify", "--log", archive, "--public-key", sealed)
    assert (1, True) == (ended.code, "do not lead to the checkpoint of 304" in ended.err)


def offline(*words, folder):
    """Run a command where there is no home, no home folder, no database and nothing in the environment."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    environment = {"PATH": os.defpath, "HOME": str(empty), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    words = [sys.executable, "-m", "scopekey", "audit", *map(str, words)]
    return subprocess.run(words, env=environment, cwd=empty, capture_output=True, text=True, check=False)


def test_a_proof_is_checked_with_the_public_key_and_nothing_else(command, sealed, folder):
    index = index_of(command, "req_7")
    proof = folder / "p.json"
    proof.write_text(command("audit", "prove", index).out)
    ended = offline("verify-proof", proof, "--public-key", sealed, folder=folder)
    assert 0 == ended.returncode, ended.stderr
    assert (KEY, "req_7") == (pairs(ended.stdout)["key"], pairs(ended.stdout)["request_id"])
    assert f"this is entry {index} of the 304 in the log " in ended.stderr
    assert [] == list((folder / "empty").iterdir())


def test_a_proof_that_was_changed_is_refused_and_a_file_of_another_kind_could_not_be_asked(command, sealed, folder):
    proof = command("audit", "prove", index_of(command, "req_7")).out
    assert 0 == verdict(command, folder, sealed, proof)
    for before, after in (
        ("req_7", "req_8"),
        ('"index": 11', '"index": 12'),
        ("\\n304\\n", "\\n305\\n"),
        ("scopekey-proof/1", "scopekey-proof/2"),
    ):
        assert before in proof
        assert 1 == verdict(command, folder, sealed, proof.replace(before, after))
    assert 1 == verdict(command, folder, sealed, "nothing")
    assert 2 == verdict(command, folder, folder / "none", proof)
    assert 2 == verdict(command, folder, folder / "p.json", proof)


def verdict(command, folder, key, proof):
    (folder / "p.json").write_text(proof)
    ended = command("audit", "verify-proof", "p.json", "--public-key", key)
    assert (ended.code == 0) is ("Proved: " in ended.err)
    assert (ended.code == 0) is (ended.out != "")
    return ended.code


def test_a_proof_is_also_written_in_the_form_of_c2sp(command, sealed):
    lines = command("audit", "prove", "7", "--tlog-proof").out.split("\n")
    assert ["c2sp.org/tlog-proof@v1", "index 7"] == lines[:2]
    assert "304" == lines[-5]


def test_an_entry_that_is_not_there_cannot_be_proved(command, sealed):
    ended = command("audit", "prove", "304")
    assert (1, "") == (ended.code, ended.out)
    assert "no entry with that index" in ended.err


def test_a_row_that_is_no_entry_is_named_and_what_is_sealed_is_verified_all_the_same(command, operator, home, caplog):
    assert 0 == command("audit", "verify").code
    with closing(sqlite3.connect(home / "scopekey.db")) as store, store:
        store.execute("INSERT INTO arrivals (body) VALUES (x'ff00')")
    ended = command("audit", "verify")
    assert (0, True) == (ended.code, "the log is intact" in ended.out)
    assert "of the table arrivals is no entry" in caplog.text
