"""The numbers of one run: every process tells those of all, and no counter goes backwards while the run goes on."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from scopekey.enforce.doors.metrics import Reading, of_processes
from scopekey.enforce.doors.run import Run, begin_run, end_run
from scopekey.replica.decided import Decided

SPAWN = multiprocessing.get_context("spawn")


def journal(allowed=0, lost=0, waiting=0):
    decided = Decided()
    decided.add("allowed", allowed)
    return SimpleNamespace(decided=decided, lost=lost, waiting=waiting)


def told(run):
    """The sums, as (allowed, lost, waiting)."""
    text = Reading(of_processes(run.numbers())).text().decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    names = (
        'scopekey_decisions_total{code="allowed"}',
        "scopekey_journal_lost_total",
        "scopekey_journal_waiting",
    )
    return tuple(float(values[name]) for name in names)


def test_a_process_that_is_alone_tells_its_own_numbers(tmp_path):
    assert (3, 1, 2) == told(Run(journal(3, 1, 2)))
    assert [] == list(tmp_path.iterdir())


def test_whoever_is_asked_tells_the_numbers_of_all(tmp_path):
    first, second = Run(journal(3, 1, 2), tmp_path, "worker 1"), Run(journal(10, 0, 5), tmp_path, "worker 2")
    first.tell()
    assert (13, 1, 7) == told(second) == told(first)


def test_a_process_in_the_place_of_a_dead_one_goes_on_counting_from_there(tmp_path):
    Run(journal(3, 1, 2), tmp_path, "worker 1").tell()
    again, other = Run(journal(4), tmp_path, "worker 1"), Run(journal(), tmp_path, "worker 2")
    assert (7, 1, 0) == told(again) == told(other)


def test_what_waits_in_the_memory_of_a_dead_process_is_not_told(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    place = Run(journal(3, 1, 2), tmp_path, "worker 1")
    place.tell()
    file = tmp_path / "worker-1.json"
    file.write_bytes(file.read_bytes().replace(b'"pid":%d' % os.getpid(), b'"pid":%d' % dead.pid))
    assert (3, 1, 0) == told(Run(journal(), tmp_path, "worker 2"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid":"x"}'])
def test_a_file_that_cannot_be_read_is_left_out(tmp_path, content):
    (tmp_path / "worker-1.json").write_bytes(content)
    assert (3, 0, 0) == told(Run(journal(3), tmp_path, "worker 2"))
    assert (6, 0, 0) == told(Run(journal(3), tmp_path, "worker 1"))


def test_where_nothing_can_be_written_a_process_still_tells_its_own_numbers(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert (3, 0, 0) == told(Run(journal(3), tmp_path / "file" / "run", "worker 1"))


def count(home, number):
    """A worker that counts, and dies at some moment."""
    counting = journal()
    Run.of_this_process(counting, home)
    for _ in range(number):
        counting.decided.add("allowed")
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)


def answer(home, asked):
    """A worker that is asked."""
    run = Run.of_this_process(journal(), home)
    while asked.recv():
        asked.send(told(run)[0])


def test_counters_of_processes_that_are_killed_and_replaced_never_go_backwards(tmp_path):
    begin_run(tmp_path)
    asked, answering = zip(*(SPAWN.Pipe() for _ in range(2)), strict=True)
    answerers = [
        SPAWN.Process(target=answer, args=(tmp_path, end), name=f"asked {at}") for at, end in enumerate(answering)
    ]
    for process in answerers:
        process.start()

    def replace(name):
        for number in (1_300, 100):
            process = SPAWN.Process(target=count, args=(tmp_path, number), name=name)
            process.start()
            process.join()

    replacing = [threading.Thread(target=replace, args=(f"worker {at}",)) for at in (1, 2)]
    for thread in replacing:
        thread.start()
    found = []
    while any(thread.is_alive() for thread in replacing):
        # Each in its turn, as the system gives connections to workers.
        for one in asked:
            one.send(True)
            found.append(one.recv())
    for one, process in zip(asked, answerers, strict=True):
        one.send(False)
        process.join()
    assert found == sorted(found)
    # What was counted in the last second before a death is not known to anybody else.
    assert 1_000 < found[-1] <= 2_800
    end_run(tmp_path)
    assert [] == list((tmp_path / "metrics").iterdir())


def test_the_numbers_of_runs_that_were_killed_are_removed_and_those_of_others_left(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    for name in (dead.pid, other.pid, os.getpid(), "mine"):
        (tmp_path / "metrics" / str(name)).mkdir(parents=True)
    begin_run(tmp_path)
    assert {str(other.pid), "mine"} == {folder.name for folder in (tmp_path / "metrics").iterdir()}
    other.communicate(b"\n")


def test_a_process_that_nobody_started_for_a_run_is_alone(tmp_path):
    assert (3, 0, 0) == told(Run.of_this_process(journal(3), tmp_path))
    assert [] == list(tmp_path.iterdir())
