"""What a follower's process does when it is told to end."""

import signal
import subprocess
import sys

PROGRAM = """
import os, signal, sys, threading
from types import SimpleNamespace
from scopekey.gateway import following

ended, lock = threading.Event(), threading.Lock()

def run():
    print("follows", flush=True)
    ended.wait()

def stop():
    # As the real one does, which cuts its stream under a lock.
    with lock:
        if sys.argv[1] == "meanwhile" and not ended.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1_000):
                pass  # a signal is handled between two of these
        ended.set()

following.Settings = lambda: None
following.key_of = following.upstream_of = lambda _: None
following.SendDecisions = lambda *_: SimpleNamespace(close=lambda: None)
following.carrier = lambda *_: SimpleNamespace(start=lambda: None, stop=lambda: print("carried", flush=True))
following.follower = lambda *_, **__: SimpleNamespace(run=run, stop=stop, index=SimpleNamespace(close=lambda: None))
following.follow()
"""


def told_to_end(when):
    """Run the program, tell it to end, and give how it ended."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, when], stdout=subprocess.PIPE, text=True)
    try:
        assert "follows\n" == process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        return process.wait(20), process.stdout.read()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_ends_when_it_is_told():
    assert (0, "carried\n") == told_to_end("once")


def test_it_ends_when_it_is_told_again_while_it_ends():
    assert (0, "carried\n") == told_to_end("meanwhile")
