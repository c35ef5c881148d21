"""Looking at a store that others change too: cheap where there is nothing new, and never older than it says."""

import threading
import time

import pytest

from scopekey.authority import apply_changes, follow_store
from scopekey.authority.follow_store import look
from scopekey.replica.freshness import Level
from scopekey.replica.leader import Leadership
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.lmdb_writer import LmdbWriter
from tests.authority.home import Home


@pytest.fixture
def far(either, tmp_path):
    """Another machine on the same store."""
    index = LmdbIndex(tmp_path / "far")
    far = Home(either.store, index, seed=8)
    far.catch_up()
    yield far
    index.close()


@pytest.fixture
def counted(far, monkeypatch):
    """How often the write lock of the far replica was taken."""
    taken = []

    def made(self, files, ledger, made=LmdbWriter.__init__):
        taken.append(self)
        made(self, files, ledger)

    monkeypatch.setattr(LmdbWriter, "__init__", made)
    return taken


def test_what_another_machine_did_is_there_after_a_look(either, far):
    issued = either.issue("datasets:read")
    assert "unknown_key" == far.check(issued.secret, "datasets:read")
    assert either.position() == look(far.store, far.index).position
    either.revoke(issued.key.id)
    assert "allowed" == far.check(issued.secret, "datasets:read")
    look(far.store, far.index)
    assert "revoked_key" == far.check(issued.secret, "datasets:read")


def test_where_there_is_nothing_new_no_lock_is_taken_and_the_replica_is_known_to_be_level(far, counted):
    far.index.leveled(Level(1, 1))
    place = far.index.place()
    assert place == look(far.store, far.index, clock=lambda: 77)
    assert ([], 77) == (counted, far.index.level().wall)


def test_a_writer_of_this_machine_is_not_kept_waiting_for_the_store(either, far, monkeypatch):
    either.issue()
    written = []

    def write():
        with far.index.writing() as writer:
            written.append(writer.place())

    def slowly(store, place, read=follow_store._after):
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(10)
        assert [place] == written
        return read(store, place)

    monkeypatch.setattr(follow_store, "_after", slowly)
    assert either.position() == look(far.store, far.index).position
    assert 1 == len(written)


@pytest.mark.parametrize("new", [0, 1])
def test_the_replica_was_level_when_the_store_began_to_be_read_not_when_it_had_been(either, far, monkeypatch, new):
    for _ in range(new):
        either.issue()
    now = [100]

    def slowly(store, place, read=follow_store._after):
        now[0] = 200
        return read(store, place)

    monkeypatch.setattr(follow_store, "_after", slowly)
    look(far.store, far.index, clock=lambda: now[0])
    assert (100, either.position()) == (far.index.level().wall, far.index.place().position)


def test_a_change_of_its_own_says_the_moment_before_its_commit(far, monkeypatch):
    moments = iter(range(1_000, 9_000, 1_000))
    monkeypatch.setattr(apply_changes, "milliseconds_since_boot", lambda: next(moments))
    committed = []

    def commits(writer, own, apply=apply_changes._apply):
        committed.append(own)
        return apply(writer, own)

    monkeypatch.setattr(apply_changes, "_apply", commits)
    far.issue()
    assert committed[0].at == far.index.level()
    assert 1_000 == far.index.level().boot


def test_more_than_is_read_at_once_is_read_to_its_end(either, far, monkeypatch):
    for module in (apply_changes, follow_store):
        monkeypatch.setattr(module, "BATCH", 2)
    issued = [either.issue("datasets:read") for _ in range(7)]
    look(far.store, far.index)
    assert ["allowed"] * 7 == [far.check(one.secret, "datasets:read") for one in issued]


def test_where_somebody_of_this_machine_was_faster_there_is_nothing_left_to_do(either, far, counted, monkeypatch):
    either.issue()

    def overtaken(store, place, read=follow_store._after):
        changes = read(store, place)
        if changes:
            far.catch_up()
        return changes

    monkeypatch.setattr(follow_store, "_after", overtaken)
    assert either.position() == look(far.store, far.index).position
    assert 1 == len(counted), "only the one that was faster took the lock"


def test_a_store_of_another_history_has_the_replica_rebuilt(either, far):
    issued = far.issue("datasets:read")
    generation = far.index.now().generation
    with either.store.writing() as tx:
        tx.meta.set("feed_id", "another")
    assert "another" == look(far.store, far.index).feed_id
    assert (generation + 1, "allowed") == (far.index.now().generation, far.check(issued.secret, "datasets:read"))
    assert far.index.level().wall


def test_an_empty_replica_is_loaded(either, tmp_path):
    index = LmdbIndex(tmp_path / "empty")
    assert either.position() == look(either.store, index).position
    index.close()


@pytest.mark.parametrize(("pending", "waits"), [(True, 2), (False, 1)])
def test_a_commit_of_this_machine_that_is_just_being_applied_needs_no_look(far, tmp_path, pending, waits):
    """What is heard of is one of this machine, whose process applies it while the follower gives it a head start."""
    heard = iter([far.position() + 1, None])
    waited = []

    class Running:
        waiting = stopped = property(lambda self: self)
        is_set = staticmethod(lambda: False)

        def wait(self, seconds):
            if seconds < 0.1:
                far.issue()
                return None
            waited.append(seconds)
            return next(heard)

    if pending:
        far.index.pend(b"m" * 16, 1)
    follower = follow_store.StoreFollower(far.store, far.index, Leadership(tmp_path / "lock"))
    follower._wait(Running(), time.monotonic() + 60)
    assert waits == len(waited)
