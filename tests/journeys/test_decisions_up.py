"""Promise: whatever the network does, each decision of a verifier elsewhere is in the log exactly once."""

import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress

import pytest

from scopekey.authority.actor import Caller
from scopekey.authority.issue_key import issue_key
from scopekey.core.decision import Allowed
from scopekey.replica.event import Event
from scopekey.replica.send_decisions import UpstreamJournal
from scopekey.server.node import Node
from scopekey.settings import Settings
from scopekey.wire.resources import CreateKey
from tests.contract.index import REGISTER, key
from tests.journeys.serving import free_port, running, serve
from tests.journeys.test_revocation import prepare

pytestmark = pytest.mark.journey
NODE = "00112233445566aa"
EVENTS = 3_000


class CuttingProxy:
    """A TCP proxy that passes a request on whole, and cuts the connection instead of giving every other reply."""

    def __init__(self, port):
        self.cut, self.replies = 0, 0
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
            with suppress(OSError):
                while reply := server.recv(65_536):
                    self.replies += 1
                    if self.replies % 2:
                        # The server has answered, so it has committed: the sender will never know.
                        self.cut += 1
                        break
                    client.sendall(reply)
            # Closing alone would not end a connection that the other thread still reads from.
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _pass_on(client, server):
        with suppress(OSError):
            while sent := client.recv(65_536):
                server.sendall(sent)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)


def verifiers_key(home):
    node = Node.open(Settings(home=home))
    try:
        asked = CreateKey(name="Verifier", permissions=["scopekey_journal:write"], never_expires=True)
        return issue_key(node.authority, Caller.machine(), asked)[0].secret
    finally:
        node.close()


def hand_up(url, secret):
    """Decide many times on another machine, as it were; gives what the journal says at the end."""
    journal = UpstreamJournal(url, lambda: secret, NODE, batch=100, linger_ms=1, close_within=60.0)
    journal._sender._jitter = lambda: -0.98
    for number in range(EVENTS):
        decision = Allowed(key(number), key(number).secrets[0])
        journal.append(Event(decision, 1_800_000_000_000 + number, f"up-{number}", REGISTER, operation="GET /"))
    deadline = time.monotonic() + 60
    while journal.waiting:
        assert time.monotonic() < deadline
        journal._thread.join(0.01)
    journal.close()
    return journal


def recorded(home):
    """How often each decision of the verifier is in the log."""
    with closing(sqlite3.connect(home / "scopekey.db")) as store:
        rows = store.execute("SELECT request_id FROM entries WHERE request_id LIKE 'up-%'").fetchall()
    return Counter(request_id for (request_id,) in rows)


@contextmanager
def cut(port):
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def test_each_decision_is_in_the_log_once_though_replies_are_cut(tmp_path):
    home = tmp_path / "home"
    prepare(home, 0)
    secret = verifiers_key(home)
    with serve(home, workers=2) as port, cut(port) as proxy:
        journal = hand_up(proxy.url, secret)
    assert (0, 0) == (journal.waiting, journal.lost)
    assert EVENTS / 100 / 2 <= proxy.cut
    assert {f"up-{number}": 1 for number in range(EVENTS)} == recorded(home)


def test_without_the_ledger_the_same_journey_finds_decisions_twice(tmp_path):
    """The control of the test above: it would notice."""
    home = tmp_path / "home"
    prepare(home, 0)
    secret = verifiers_key(home)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "unledgered:create_app", "--factory", "--log-level", "warning"]
    with running([*command, "--port", str(port)], home, port), cut(port) as proxy:
        hand_up(proxy.url, secret)
    found = recorded(home)
    assert EVENTS == len(found)
    assert 2 <= max(found.values())


def test_decisions_wait_until_the_control_plane_is_there(tmp_path, caplog):
    home = tmp_path / "home"
    prepare(home, 0)
    secret = verifiers_key(home)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    journal = UpstreamJournal(f"http://127.0.0.1:{port}", lambda: secret, NODE, linger_ms=0, close_within=60.0)
    journal._sender._jitter = lambda: -0.9
    asked = threading.Event()
    sink = journal._sink
    journal._sink = lambda batch: (asked.set(), sink(batch))[1]
    journal.append(Event(Allowed(key(1), key(1).secrets[0]), 1_800_000_000_000, "up-1", REGISTER))
    assert asked.wait(10)
    assert 1 == journal.waiting
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port)]
    with running(command, home, port):
        journal.close()
    assert {"up-1": 1} == recorded(home)
    assert secret not in caplog.text
