"""Promise: after an older copy of the database was put back, a revocation is still a refusal."""

import sqlite3
from contextlib import closing

import pytest

from scopekey import Scopekey
from scopekey.authority.actor import Caller
from scopekey.authority.issue_key import issue_key
from scopekey.authority.revoke_key import revoke_key
from scopekey.core.decision import DenialReason
from scopekey.server.beginning import begin
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.wire.resources import CreateKey, RevokeKey
from tests.journeys.serving import scopekey

pytestmark = pytest.mark.journey
MACHINE = Caller.machine()


def issue(home, *names):
    """Issue keys, as [(id, printed)]."""
    node = Node.open(Settings(home=home))
    try:
        issued = [issue_key(node.authority, MACHINE, CreateKey(name=name, permissions=[]))[0] for name in names]
    finally:
        node.close()
    return [(one.key.id, one.secret) for one in issued]


def revoke(home, key_id):
    node = Node.open(Settings(home=home))
    try:
        revoke_key(node.authority, MACHINE, key_id, RevokeKey(reason="other"))
    finally:
        node.close()


def copy(home, to):
    with closing(sqlite3.connect(home / "scopekey.db")) as store, closing(sqlite3.connect(to)) as copied:
        store.backup(copied)


def put_back(copied, home):
    for file in home.glob("scopekey.db*"):
        file.unlink()
    (home / "scopekey.db").write_bytes(copied.read_bytes())


def answer(keys, printed):
    decision = keys.check(printed)
    return None if decision else decision.reason


@pytest.fixture
def home(tmp_path):
    begin(Settings(home=tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("later", [1, 2, 7], ids=lambda later: f"{later} changes later")
def test_a_key_that_is_revoked_after_the_older_copy_came_back_is_refused(home, tmp_path, later):
    [(first, printed), (_, twin)] = issue(home, "First", "Second")
    copy(home, tmp_path / "older.db")
    newer = issue(home, *(f"Newer {at}" for at in range(later)))
    put_back(tmp_path / "older.db", home)
    # In the other history this very position made the first of the newer keys.
    ended = scopekey("keys", "revoke", first, "--reason", "compromised", "--yes", home=home)
    assert 0 == ended.returncode, ended.stderr
    with Scopekey.open(home) as keys:
        assert DenialReason.REVOKED_KEY == answer(keys, printed)
        assert answer(keys, twin) is None
        assert {DenialReason.UNKNOWN_KEY} == {answer(keys, secret) for _, secret in newer}


def test_a_program_that_went_on_checking_meanwhile_refuses_it_too(home, tmp_path):
    [(first, printed), (second, _)] = issue(home, "First", "Second")
    copy(home, tmp_path / "older.db")
    keys = Scopekey.open(home)
    assert answer(keys, printed) is None
    [(_, newer)] = issue(home, "Newer")
    revoke(home, second)
    assert answer(keys, newer) is None
    put_back(tmp_path / "older.db", home)
    assert 0 == scopekey("keys", "revoke", first, "--reason", "compromised", "--yes", home=home).returncode
    assert DenialReason.REVOKED_KEY == answer(keys, printed)
    assert DenialReason.UNKNOWN_KEY == answer(keys, newer)


def test_with_the_copy_come_back_what_it_knew_is_the_truth_again(home, tmp_path):
    [(first, printed)] = issue(home, "First")
    copy(home, tmp_path / "older.db")
    revoke(home, first)
    with Scopekey.open(home) as keys:
        assert DenialReason.REVOKED_KEY == answer(keys, printed)
    put_back(tmp_path / "older.db", home)
    with Scopekey.open(home) as keys:
        assert answer(keys, printed) is None
    assert scopekey("keys", "list", home=home).stdout.count("\tactive\t") == 2
