"""The command line as a whole: failures become one clear line, and every part works with what is installed."""

import os
import site
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import scopekey
from scopekey.audit.entry import Entry, canonical
from scopekey.audit.merkle import inclusion_proof
from scopekey.audit.proof import EntryProof, write_proof
from scopekey.audit.tiles import node_of
from tests.audit.logs import KEY, ORIGIN, Log
from tests.journeys.serving import environment

SOURCE = Path(scopekey.__file__).parents[1]
SERVER = ("sqlalchemy", "alembic", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "jinja2", "mako")
DEMO = ("duckdb", "_duckdb", "multipart", "python_multipart")


@pytest.fixture
def without(tmp_path):
    """A command line that is installed without some packages."""

    def without(packages, *words, home=tmp_path / "home", **settings):
        installed = tmp_path / "site"
        installed.mkdir()
        (here,) = site.getsitepackages()
        for entry in Path(here).iterdir():
            if entry.name.split(".")[0].split("-")[0] not in packages and entry.suffix != ".pth":
                (installed / entry.name).symlink_to(entry)
        return subprocess.run(
            # -S: no site packages but those.
            [sys.executable, "-S", "-m", "scopekey", *words],
            env=environment(home, PYTHONPATH=os.pathsep.join([str(SOURCE), str(installed)]), **settings),
            cwd=tmp_path,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    return without


def test_the_version_is_told(command):
    ended = command("--version")
    assert (0, f"scopekey {scopekey.__version__}\n", "") == ended


def test_a_missing_server_extra_is_named(without):
    ended = without(SERVER, "init", "--key-file", "key")
    assert 2 == ended.returncode
    assert ended.stderr.endswith("is not installed: pip install 'scopekey[server]'\n")
    assert "Traceback" not in ended.stderr


def test_serve_without_uvicorn_names_the_extra(without, operator, home):
    ended = without(("uvicorn",), "serve", home=home)
    assert (2, "this needs uvicorn, which is not installed: pip install 'scopekey[server]'\n") == (
        ended.returncode,
        ended.stderr,
    )


def test_a_gateway_without_uvicorn_names_its_own_extra(without, tmp_path):
    (tmp_path / "plane").mkdir()
    (tmp_path / "plane" / "pepper").write_text("ab" * 32)
    (tmp_path / "feed.key").write_text("sck_live_nobody")
    words = ("--upstream", "http://127.0.0.1:1", "--port", "0", "--key-file", str(tmp_path / "feed.key"))
    ended = without(("uvicorn",), "gateway", *words, home=tmp_path / "plane")
    assert 2 == ended.returncode
    assert ended.stderr.endswith("this needs uvicorn, which is not installed: pip install 'scopekey[gateway]'\n")


def test_the_demo_without_duckdb_names_the_extra(without):
    ended = without(DEMO, "demo", "--once")
    assert 2 == ended.returncode
    assert "pip install 'scopekey[demo]'" in ended.stderr


def test_postgresql_without_its_driver_names_the_extra(without):
    ended = without(("psycopg",), "db", "upgrade", SCOPEKEY_DATABASE_URL="postgresql://nobody@127.0.0.1/db")
    assert 2 == ended.returncode
    assert "pip install 'scopekey[postgres]'" in ended.stderr


def test_over_http_the_base_is_enough(without):
    over = {"SCOPEKEY_URL": "http://127.0.0.1:1", "SCOPEKEY_API_KEY": "key"}
    ended = without((*SERVER, *DEMO, "psycopg"), "keys", "list", **over)
    assert 2 == ended.returncode
    assert "did not answer" in ended.stderr


def test_a_proof_is_checked_with_the_base_alone(without, tmp_path):
    bodies = [canonical(Entry(nonce=f"{number:032x}", at=number, kind="change")) for number in range(3)]
    log = Log(bodies)
    hashes = inclusion_proof(1, 3, node_of(log.tile))
    (tmp_path / "p.json").write_bytes(write_proof(EntryProof(1, bodies[1], tuple(hashes), log.checkpoint())))
    (tmp_path / "log.pub").write_text(str(KEY))
    words = ("audit", "verify-proof", str(tmp_path / "p.json"), "--public-key", str(tmp_path / "log.pub"))
    ended = without((*SERVER, *DEMO, "psycopg"), *words)
    assert (0, f"Proved: this is entry 1 of the 3 in the log {ORIGIN}.\n") == (ended.returncode, ended.stderr)


def test_a_parquet_export_without_duckdb_names_the_extra(without, operator, home):
    ended = without(DEMO, "audit", "export", "--format", "parquet", "-o", "log.parquet", home=home)
    assert 2 == ended.returncode
    assert "pip install 'scopekey[parquet]'" in ended.stderr


@pytest.mark.slow
def test_a_locked_database_is_told_and_nothing_is_made(command, operator, home):
    before = command("keys", "list").out
    with sqlite3.connect(home / "scopekey.db", isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        ended = command("keys", "create", "Late", "-p", "datasets:read", "--key-file", "key")
        holder.execute("ROLLBACK")
    holder.close()
    assert 2 == ended.code
    assert 1 == len(ended.err.splitlines())
    assert before == command("keys", "list").out
    assert 0 == command("keys", "create", "Late", "-p", "datasets:read", "--key-file", "key").code


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda home: (home / "pepper").write_text("ab" * 32), "the pepper here has the id"),
        (lambda home: (home / "pepper").unlink(), "there is no pepper"),
        (lambda home: (home / "signing_key").write_text("ab" * 32), "the signing key here is not the store's"),
        (lambda home: (home / "pepper").write_text("short"), "64 hexadecimal digits"),
    ],
)
def test_a_home_that_does_not_fit_is_refused_in_words(command, operator, home, change, said):
    (home / "pepper").chmod(0o600)
    change(home)
    ended = command("keys", "list")
    assert 2 == ended.code
    assert said in ended.err


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"port": "99999"}, "port"), ({"key_prefix": "Sck"}, "key_prefix"), ({"stale_after": "later"}, "stale_after")],
)
def test_a_setting_that_makes_no_sense_is_named(command, operator, settings, named):
    ended = command("keys", "list", **settings)
    assert 2 == ended.code
    assert ended.err.startswith(f"{named}: ")


def test_a_settings_file_with_an_unknown_name_is_refused(command, operator, folder):
    (folder / "scopekey.toml").write_text('colour = "red"\n')
    ended = command("keys", "list")
    assert 2 == ended.code
    assert "colour" in ended.err
