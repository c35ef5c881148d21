"""The keeper: what all processes of a home folder recorded is taken over and sealed, until the very end."""

import threading
import time

from scopekey.opening import _open_replica
from scopekey.server.keeping import keep_until
from scopekey.server.node import Node


def until(true, within=10.0):
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def kept_by(settings, seal):
    """A keeper in a thread; gives the event that ends it, and the thread."""
    stop = threading.Event()
    thread = threading.Thread(target=keep_until, args=(stop, Node.open(settings), seal))
    thread.start()
    return stop, thread


def recorded(node, name):
    with node.store.reading() as tx:
        return [stored.entry for stored in tx.entries.newest(1_000) if stored.entry.request_id == name]


def test_what_other_processes_record_is_taken_over_while_they_live(deployment):
    settings = deployment.node.settings
    sealed = threading.Semaphore(0)
    stop, thread = kept_by(settings, lambda _: sealed.release())
    other = _open_replica(settings)
    try:
        _, ticket = other.verifier.ask(deployment.operator, ("datasets:write",), request_id="mine")
        ticket.wait()
        until(lambda: recorded(deployment.node, "mine"))
        assert sealed.acquire(timeout=5)
    finally:
        other.close()
        stop.set()
        thread.join(10)
    (entry,) = recorded(deployment.node, "mine")
    assert (settings.node_id(), True) == (entry.node, entry.allowed)
    assert not list(settings.journal_path.glob("*.journal"))


def test_what_was_recorded_last_is_sealed_before_it_ends(deployment):
    settings = deployment.node.settings
    seen = []
    stop, thread = kept_by(settings, lambda node: seen.append(len(recorded(node, "last"))))
    other = _open_replica(settings)
    other.verifier.ask(deployment.operator, ("datasets:read",), request_id="last")
    other.close()
    stop.set()
    thread.join(10)
    assert 1 == seen[-1]


def test_what_cannot_be_sealed_is_said_once_and_tried_again(deployment, caplog):
    calls = []

    def seal(_):
        calls.append(1)
        if len(calls) < 3:
            raise OSError("away")

    stop, thread = kept_by(deployment.node.settings, seal)
    until(lambda: len(calls) > 3)
    stop.set()
    thread.join(10)
    assert 1 == caplog.text.count("cannot be sealed")
