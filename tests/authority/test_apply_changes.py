"""Whoever commits applies: the replica is level when a call has returned, and says so when it is not."""

import subprocess
import sys

import pytest

from scopekey.authority import apply_changes
from scopekey.authority.apply_changes import Committed, catch_up, moment
from scopekey.core.problem import ProblemError
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.memory_index import MemoryIndex
from scopekey.store.errors import StoreUnavailableError
from tests.authority.home import Home


@pytest.fixture(params=["memory", "lmdb"])
def late(request, home, tmp_path):
    """Another process on the same store, with a replica of its own."""
    index = MemoryIndex() if request.param == "memory" else LmdbIndex(tmp_path / "replica")
    late = Home(home.store, index, seed=8)
    late.catch_up()
    yield late
    if request.param == "lmdb":
        index.close()


def fail_to_follow(monkeypatch):
    def unavailable(*_):
        raise StoreUnavailableError("not now")

    monkeypatch.setattr(apply_changes, "_after", unavailable)


def test_a_replica_that_was_behind_is_brought_level_by_the_next_change(home, late, monkeypatch):
    monkeypatch.setattr(apply_changes, "BATCH", 2)
    gone = home.issue("datasets:read")
    others = [home.issue("datasets:read") for _ in range(4)]
    home.revoke(gone.key.id)
    assert "unknown_key" == late.check(gone.secret, "datasets:read")
    late.issue()
    assert ["revoked_key", *["allowed"] * 4] == [late.check(one.secret, "datasets:read") for one in (gone, *others)]
    assert home.position() == late.index.place().position


def test_an_empty_replica_is_loaded(home):
    issued = home.issue("datasets:read")
    fresh = Home(home.store, MemoryIndex(), seed=8)
    assert (home.position(), "allowed") == (fresh.catch_up().position, fresh.check(issued.secret, "datasets:read"))


def test_a_mark_stays_where_catching_up_fails_and_goes_where_it_succeeds(home, late, monkeypatch):
    issued = late.issue("datasets:read")
    # Behind, so that the store has to be read.
    home.issue()
    with monkeypatch.context() as broken:
        fail_to_follow(broken)
        with pytest.raises(ProblemError, match="The change was made") as said:
            late.revoke(issued.key.id)
        assert "unavailable" == said.value.problem.code
        assert late.now == late.index.pending_since()
    # It was committed: whatever comes next applies it. The mark is the failed call's own.
    late.issue()
    assert "revoked_key" == late.check(issued.secret, "datasets:read")


def test_a_call_that_was_refused_leaves_no_mark(late):
    key = late.issue().key
    late.revoke(key.id)
    with pytest.raises(Exception, match="final"):
        late.edit(key.id, name="x")
    assert late.index.pending_since() is None


def test_the_first_failure_is_told_where_catching_up_fails_too(late, monkeypatch):
    key = late.issue().key
    late.revoke(key.id)
    fail_to_follow(monkeypatch)
    with pytest.raises(Exception, match="final"):
        late.edit(key.id, name="x")
    assert late.now == late.index.pending_since()


def test_a_replica_right_before_a_change_has_it_though_the_store_cannot_be_read_again(late, monkeypatch):
    issued = late.issue("datasets:read")
    fail_to_follow(monkeypatch)
    late.revoke(issued.key.id)
    assert ("revoked_key", None) == (late.check(issued.secret, "datasets:read"), late.index.pending_since())
    assert late.position() == late.index.place().position


def test_what_is_applied_without_reading_is_what_the_store_says(late, monkeypatch):
    fail_to_follow(monkeypatch)
    key = late.issue("queries:read", "datasets:read", allowed_networks=["10.0.0.0/8", "2001:db8::/32"]).key.id
    tenant = late.tenant(max_key_age="30d", never_expires=True)
    steps = [
        lambda: late.edit(key, permissions=["jobs:write"], expires_in="1h"),
        lambda: late.rotate(key, overlap="1h"),
        lambda: late.revoke(key),
        lambda: late.edit_tenant(tenant, suspended=True),
    ]
    for step in steps:
        step()
        with late.store.reading() as tx:
            stored = tx.keys.get(key).key, tx.organizations.get(tenant)
        assert stored == (late.index.key(key), late.index.organization(tenant))


@pytest.mark.parametrize(("died", "applied"), [(False, 1), (True, 2)])
def test_where_a_process_died_after_its_announcement_its_commit_is_looked_for(home, tmp_path, died, applied):
    folder = tmp_path / "replica"
    index = LmdbIndex(folder)
    before = catch_up(home.store, index)
    home.issue()
    with home.store.reading() as tx:
        own = Committed(before, tx.changes.after(before, 1), moment())
    if died:
        pend = f"from scopekey.replica.lmdb_index import LmdbIndex; LmdbIndex({str(folder)!r}).pend(bytes(16), 1)"
        subprocess.run([sys.executable, "-c", pend], check=True)
    home.issue()
    assert before.position + applied == catch_up(home.store, index, own=own).position
    assert index.pending_since() is None
    index.close()
