"""Waiting for what others announce: it wakes, it connects again, and it never raises."""

# ruff: noqa: PT012 - a transaction is a block of statements, and its end may be what is refused

import os
import socket
import threading
import time
from contextlib import suppress

import psycopg
import pytest

from scopekey.store import migrate, waiting
from scopekey.store.engine import Store
from scopekey.store.waiting import Waiting
from tests.contract.store_made import ACME, add_key, announce, give_up, key_row

LONG = 30.0
"""Longer than any of these tests takes: whoever comes back before was woken."""


class Ear:
    """A connection that hears what a test says."""

    def __init__(self):
        self.said, self._end = socket.socketpair()
        self.closed = False

    def fileno(self):
        return self._end.fileno()

    def heard(self):
        said = self._end.recv(100)
        if not said.isdigit():
            raise ConnectionError("cut")
        return int(said)

    def close(self):
        self.closed = True
        self.said.close()
        self._end.close()
        raise ConnectionError("cut")


@pytest.fixture
def ears(monkeypatch):
    """The connections that were made."""
    monkeypatch.setattr(waiting, "CONNECT_EVERY", 0.0)
    return []


@pytest.fixture
def hearing(ears):
    """Waits over such connections."""

    def listen():
        ears.append(Ear())
        return ears[-1]

    hearing = Waiting(listen)
    yield hearing
    hearing.close()


def test_a_connection_that_was_just_made_asks_for_a_look(hearing, ears):
    assert (None, True, 1) == (hearing.wait(LONG), hearing.hears, len(ears))


def test_what_is_heard_is_the_newest_position(hearing, ears):
    hearing.wait(LONG)
    ears[0].said.send(b"17")
    assert 17 == hearing.wait(LONG)


@pytest.mark.parametrize("how", ["is closed", "says nonsense"])
def test_a_connection_that_breaks_is_made_again(hearing, ears, how):
    hearing.wait(LONG)
    if how == "is closed":
        ears[0].said.shutdown(socket.SHUT_RDWR)
    else:
        ears[0].said.send(b"nonsense")
    assert (None, False, True) == (hearing.wait(LONG), hearing.hears, ears[0].closed)
    assert (None, True, 2) == (hearing.wait(LONG), hearing.hears, len(ears))
    ears[1].said.send(b"18")
    assert 18 == hearing.wait(LONG)


def test_where_there_is_nobody_to_listen_to_the_time_passes_and_it_is_said_once(caplog):
    tries = []

    def refuse():
        tries.append(time.monotonic())
        raise ConnectionRefusedError

    deaf = Waiting(refuse)
    for _ in range(3):
        assert deaf.wait(0.01) is None
    deaf.close()
    assert 1 == len(tries), "one that is refused at once is not tried again at once"
    assert 1 == caplog.text.count("cannot be listened for")


@pytest.mark.parametrize("connected", [True, False])
def test_another_thread_ends_a_wait(ears, hearing, connected):
    waits = hearing if connected else Waiting(None)
    if connected:
        waits.wait(LONG)
    waker = threading.Timer(0.05, waits.wake)
    waker.start()
    began = time.monotonic()
    assert waits.wait(LONG) is None
    assert time.monotonic() - began < LONG / 2
    waker.join()
    waits.wake()
    assert waits.wait(LONG) is None
    waits.close()
    waits.wake()


def test_a_child_lets_go_of_its_parents_connection_without_hanging_up(hearing, ears, monkeypatch):
    hearing.wait(LONG)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        hearing.close()
    assert not ears[0].closed
    with suppress(ConnectionError):
        ears[0].close()


def test_of_a_file_nothing_is_heard(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    quiet = store.waiting()
    assert (False, None, False) == (store.shared, quiet.wait(0), quiet.hears)
    quiet.close()
    store.close()


@pytest.mark.postgres
class TestPostgresql:
    @pytest.fixture
    def store(self, postgres_url):
        migrate.upgrade(postgres_url)
        store = Store.open(postgres_url)
        with store.writing() as tx:
            tx.meta.set("feed_id", "feed-one")
            tx.organizations.insert(ACME, 10)
            announce(tx, ("organization", ACME.id), first_mark=1)
        yield store
        store.close()

    @pytest.fixture
    def listener(self, store):
        listener = store.waiting()
        assert listener.wait(LONG) is None
        assert listener.hears
        yield listener
        listener.close()

    def test_a_commit_wakes_with_its_position_and_one_that_is_rolled_back_does_not(self, store, listener):
        assert store.shared
        assert 2 == add_key(store, "a", 3) == listener.wait(LONG)
        with pytest.raises(ZeroDivisionError), store.writing() as tx:
            tx.keys.insert(key_row("b"))
            announce(tx, ("key", key_row("b").key.id), first_mark=9)
            give_up()
        assert listener.wait(0.1) is None
        assert 3 == add_key(store, "c", 4) == listener.wait(LONG)

    def test_a_cut_connection_hears_again(self, store, listener, postgres_url):
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"SELECT pg_terminate_backend(pid) {others}")
        for hears in (True, False):
            while hears is listener.hears:
                assert listener.wait(LONG) is None
        assert add_key(store, "a", 3) == listener.wait(LONG)

    def test_what_others_say_on_the_channel_only_costs_a_look(self, listener, postgres_url):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("NOTIFY scopekey_changes, 'nonsense'")
        assert listener.wait(LONG) is None
