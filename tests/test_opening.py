"""`Scopekey`: keys checked in an application's own process."""

import asyncio
import os
import site
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

import scopekey
from scopekey import Scopekey
from scopekey.audit.entry import read_entry
from scopekey.authority.actor import Caller
from scopekey.authority.issue_key import issue_key
from scopekey.authority.revoke_key import revoke_key
from scopekey.core.catalog import UnknownPermissionError
from scopekey.core.decision import Allowed, DenialReason
from scopekey.demo.platform import CATALOG
from scopekey.server.beginning import begin
from scopekey.server.node import Node, StartRefusedError
from scopekey.settings import Settings
from scopekey.testing import Keys
from scopekey.wire.resources import CreateKey, RevokeKey

SOURCE = Path(scopekey.__file__).parents[1]
SERVER = ("sqlalchemy", "alembic", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "jinja2", "mako", "duckdb")


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("SCOPEKEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    begin(Settings(home=tmp_path / "home", catalog=CATALOG))
    return tmp_path / "home"


@pytest.fixture
def node(home):
    """Another process's way to the same home, as the command line has it."""
    node = Node.open(Settings(home=home))
    yield node
    node.close()


@pytest.fixture
def key(node):
    """A key that may read datasets: its id and its printed form."""
    issued, _ = issue_key(node.authority, Caller.machine(), CreateKey(name="Dashboard", permissions=["datasets:read"]))
    return issued.key.id, issued.secret


@pytest.fixture
def printed(key):
    return key[1]


def decisions(home):
    """How many decisions the store has of each key, or of none."""
    with closing(sqlite3.connect(home / "scopekey.db")) as store:
        rows = store.execute("SELECT body FROM arrivals UNION ALL SELECT body FROM entries").fetchall()
    return sum(read_entry(body).kind == "decision" for (body,) in rows)


def test_a_key_is_allowed_what_it_holds_and_denied_the_rest_with_the_reason(home, printed):
    with Scopekey.open(home) as keys:
        assert isinstance(keys.check(printed, "datasets:read"), Allowed)
        denied = keys.check(printed, "datasets:read", "datasets:write")
        assert not denied
        assert DenialReason.MISSING_PERMISSION == denied.reason
        assert DenialReason.MALFORMED_KEY == keys.check("nonsense", "datasets:read").reason


def test_on_an_event_loop_the_answers_are_the_same(home, printed):
    async def ask(keys):
        return [bool(await keys.check_async(printed, name)) for name in ("datasets:read", "datasets:write")]

    with Scopekey.open(home) as keys:
        assert [True, False] == asyncio.run(ask(keys))


def test_a_permission_that_is_not_in_the_catalog_is_a_mistake_of_the_program(home, printed):
    with Scopekey.open(home) as keys, pytest.raises(UnknownPermissionError, match="datasets:read"):
        keys.check(printed, "dataset:read")


def test_nothing_is_opened_before_the_first_use(tmp_path):
    missing = tmp_path / "missing"
    with Scopekey.open(missing):
        pass
    assert not missing.exists()


@pytest.mark.parametrize("settings", [{}, {"pepper": "ab" * 32, "signing_key": "cd" * 32}], ids=["plain", "secrets"])
def test_a_home_that_is_not_there_is_told_and_not_made(tmp_path, settings):
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError, match="scopekey init"):
        Scopekey.open(missing, **settings).check("key", "datasets:read")
    assert not missing.exists()


def test_without_a_name_the_home_is_the_environments(home, printed, monkeypatch):
    monkeypatch.setenv("SCOPEKEY_HOME", str(home))
    with Scopekey.open() as keys:
        assert keys.check(printed, "datasets:read")


def test_a_revocation_elsewhere_is_known_at_once(home, key, node):
    with Scopekey.open(home) as keys:
        assert keys.check(key[1])
        revoke_key(node.authority, Caller.machine(), key[0], RevokeKey(reason="other"))
        assert DenialReason.REVOKED_KEY == keys.check(key[1]).reason


def test_decisions_are_in_the_store_after_close(home, printed):
    before = decisions(home)
    keys = Scopekey.open(home)
    for _ in range(3):
        keys.check(printed, "datasets:write")
    keys.close()
    assert before + 3 == decisions(home)


def test_after_close_it_opens_again_when_it_is_used(home, printed):
    keys = Scopekey.open(home)
    assert keys.check(printed)
    keys.close()
    keys.close()
    assert keys.check(printed)
    keys.close()
    assert 2 == decisions(home)


def test_threads_that_come_first_together_share_one_verifier(home, printed):
    with Scopekey.open(home) as keys:
        at_once = threading.Barrier(8)
        found, answers = set(), []

        def ask():
            at_once.wait()
            found.add(id(keys.verifier))
            answers.extend(bool(keys.check(printed, "datasets:read")) for _ in range(50))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 == len(found)
        assert [True] * 400 == answers
    assert 400 == decisions(home)


FORKING = """
import os, sys
from scopekey import Scopekey

home, printed, used = sys.argv[1], sys.stdin.read(), sys.argv[2] == "used"
keys = Scopekey.open(home)
if used:
    assert keys.check(printed, "datasets:read")
child = os.fork()
good = all([bool(keys.check(printed, "datasets:read")) for _ in range(20)] + [not keys.check(printed, "jobs:read")])
if child == 0:
    keys.close()
    os._exit(0 if good else 3)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert good and keys.check(printed, "datasets:read")
keys.close()
"""


@pytest.mark.parametrize(("used", "recorded"), [("used", 44), ("unused", 43)])
def test_after_a_fork_parent_and_child_both_decide_and_record(home, printed, used, recorded):
    ended = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", FORKING, str(home), used],
        input=printed,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr)
    assert recorded == decisions(home)


LIGHT = """
import importlib.util, sys
from scopekey import Scopekey

assert importlib.util.find_spec("sqlalchemy") is None
with Scopekey.open(sys.argv[1]) as keys:
    printed = sys.stdin.read()
    print(bool(keys.check(printed, "datasets:read")), bool(keys.check(printed, "datasets:write")))
"""


def test_without_the_server_extra_it_decides_and_whoever_has_the_store_takes_over(home, printed, tmp_path):
    installed = tmp_path / "site"
    installed.mkdir()
    (here,) = site.getsitepackages()
    for entry in Path(here).iterdir():
        if entry.name.split(".")[0].split("-")[0] not in SERVER and entry.suffix != ".pth":
            (installed / entry.name).symlink_to(entry)
    ended = subprocess.run(
        [sys.executable, "-S", "-c", LIGHT, str(home)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE), str(installed)])},
        input=printed,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (0, "True False\n") == (ended.returncode, ended.stdout), ended.stderr
    assert "" == ended.stderr
    assert 0 == decisions(home)
    with Scopekey.open(home) as keys:
        assert keys.check(printed, "datasets:read")
    assert 3 == decisions(home)


def test_an_application_may_have_the_control_plane_in_its_own_process(home):
    with Scopekey.embedded(f"sqlite:///{home}/scopekey.db", home=home) as keys:
        issued = keys.management.create_key(CreateKey(name="Made here", permissions=["datasets:read"]))
        assert keys.check(issued.secret, "datasets:read")
        keys.management.revoke_key(issued.key.id, RevokeKey(reason="other"))
        assert "revoked_key" == keys.check(issued.secret, "datasets:read").reason


def test_an_embedded_control_plane_needs_a_store_that_was_begun(tmp_path):
    (tmp_path / "pepper").write_text("ab" * 32)
    with pytest.raises(StartRefusedError, match="scopekey init"):
        _ = Scopekey.embedded(f"sqlite:///{tmp_path}/scopekey.db", home=tmp_path).management


def test_other_keys_can_stand_in_for_a_while(home, printed):
    mine = Keys("datasets:read")
    secret = mine.add("datasets:read")
    with Scopekey.open(home) as keys:
        assert keys.check(printed, "datasets:read")
        with keys.replaced_by(mine):
            assert [True, False] == [bool(keys.check(each, "datasets:read")) for each in (secret, printed)]
            # A lifespan ends and begins again: these are still not the real ones.
            keys.close()
            assert keys.check(secret, "datasets:read")
            with pytest.raises(RuntimeError, match="where their store is"):
                _ = keys.management
        assert [False, True] == [bool(keys.check(each, "datasets:read")) for each in (secret, printed)]
    assert 3 == len(mine.events)


def test_what_never_opened_does_not_open_for_others_to_stand_in(tmp_path):
    keys, mine = Scopekey.open(tmp_path / "nowhere"), Keys("datasets:read")
    with keys.replaced_by(mine):
        assert keys.check(mine.add("datasets:read"), "datasets:read")
    with pytest.raises(FileNotFoundError):
        keys.check("sck", "datasets:read")
