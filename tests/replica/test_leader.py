"""One process of a machine leads at a time, and when it dies another can."""

import os
import subprocess
import sys
import threading

import pytest

from scopekey.replica.leader import Leadership

HOLD = """
import os, sys, time
from pathlib import Path
from scopekey.replica.leader import Leadership

lock = Leadership(Path(sys.argv[1]))
assert lock.try_take()
child = os.fork() if sys.argv[2] == "forks" else 0
if not child and sys.argv[2] == "forks":
    assert not lock.held and not lock.try_take()
os.write(1, f"{child}\\n".encode())  # at once: both of them write
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replica" / "follower.lock"


def test_one_of_several_leads_until_it_lets_go(path):
    first, second = Leadership(path), Leadership(path)
    assert (True, True, False) == (first.try_take(), first.try_take(), second.try_take())
    assert (True, False) == (first.held, second.held)
    first.release()
    assert (True, False) == (second.try_take(), first.try_take())
    second.release()
    second.release()
    assert not second.held


@pytest.mark.parametrize("forks", ["forks", "alone"])
def test_a_leader_that_is_killed_leads_no_more_even_where_its_child_lives(path, forks):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), forks], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        # The parent names its child; a child says that it has let go of what it was given.
        child = max(int(holder.stdout.readline()) for _ in range(2 if forks == "forks" else 1))
        lock = Leadership(path)
        assert not lock.try_take()
        holder.kill()
        holder.wait()
        assert lock.try_take()
        if child:
            os.kill(child, 0)  # it lives, else this raises
        lock.release()
    finally:
        # A child reads the same pipe: it ends when that is closed.
        holder.stdin.close()
        holder.stdout.close()
        holder.kill()
        holder.wait()


def test_a_lock_whose_file_was_replaced_is_taken_again_where_others_meet(path):
    old, new = Leadership(path), Leadership(path)
    assert old.try_take()
    path.unlink()
    assert new.try_take()
    assert not old.try_take()
    assert not old.held
    new.release()
    assert old.try_take()
    old.release()


def test_of_many_threads_at_once_one_candidate_leads(path):
    at_once = threading.Barrier(8)
    locks = [Leadership(path) for _ in range(8)]

    def take(lock):
        at_once.wait()
        lock.try_take()

    threads = [threading.Thread(target=take, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 == sum(lock.held for lock in locks)
    for lock in locks:
        lock.release()


def test_a_folder_that_cannot_be_written_is_no_other_leader(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        Leadership(tmp_path / "file" / "lock").try_take()
