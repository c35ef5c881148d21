"""The keeper: what all processes of a home folder recorded is taken over and sealed, until the very end."""

import threading
import time

from scopekey.opening import _open_replica
from scopekey.server.keeping import keep_until
from scopekey.server.node import Node
from scopekey.server.sealing import EVERY


def until(true, within=10.0):
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def kept_by(settings):
    """A keeper in a thread; gives the event that ends it, and the thread."""
    stop = threading.Event()
    thread = threading.Thread(target=keep_until, args=(stop.wait, Node.open(settings)))
    thread.start()
    return stop, thread


def recorded(node, name):
    with node.store.reading() as tx:
        return [stored.entry for stored in tx.entries.newest(1_000) if stored.entry.request_id == name]


def sealed(node, name):
    """The entries with this request id that have their place in the log."""
    with node.store.reading() as tx:
        found = tx.entries.newest(1_000)
        return [one.entry for one in found if one.entry.request_id == name and one.log_index is not None]


def test_what_other_processes_record_is_taken_over_and_sealed_while_they_live(deployment):
    settings = deployment.node.settings
    stop, thread = kept_by(settings)
    other = _open_replica(settings)
    try:
        _, ticket = other.verifier.ask(deployment.operator, ("datasets:write",), request_id="mine")
        ticket.wait()
        until(lambda: sealed(deployment.node, "mine"))
    finally:
        other.close()
        stop.set()
        thread.join(10)
    (entry,) = recorded(deployment.node, "mine")
    assert (settings.node_id(), True) == (entry.node, entry.allowed)
    assert not list(settings.journal_path.glob("*.journal"))


def test_what_was_recorded_last_is_sealed_before_it_ends(deployment):
    settings = deployment.node.settings
    stop, thread = kept_by(settings)
    other = _open_replica(settings)
    other.verifier.ask(deployment.operator, ("datasets:read",), request_id="last")
    other.close()
    stop.set()
    thread.join(10)
    assert 1 == len(sealed(deployment.node, "last"))


def test_a_change_is_sealed_where_nothing_was_decided_yet(deployment):
    stop, thread = kept_by(deployment.node.settings)
    try:
        with deployment.node.store.reading() as tx:
            assert tx.entries.newest(1)
        until(lambda: not waiting(deployment.node))
    finally:
        stop.set()
        thread.join(10)


def waiting(node):
    with node.store.reading() as tx:
        return tx.log.waiting()


def test_what_cannot_be_sealed_is_said_once_and_tried_again(deployment, caplog):
    with deployment.node.store.writing() as tx:
        tx.connection.exec_driver_sql("ALTER TABLE checkpoints RENAME TO elsewhere")
    stop, thread = kept_by(deployment.node.settings)
    try:
        until(lambda: "cannot be sealed now" in caplog.text)
        time.sleep(3 * EVERY)
        with deployment.node.store.writing() as tx:
            tx.connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO checkpoints")
        until(lambda: not waiting(deployment.node))
    finally:
        stop.set()
        thread.join(10)
    assert 1 == caplog.text.count("cannot be sealed now")
    assert "checkpoints" not in caplog.text, "the words of an exception could hold anything"
