"""Promise: whatever the network does, each decision of a verifier elsewhere is in the log exactly once."""

import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress

import pytest

from scopekey.audit.entry import read_entry
from scopekey.authority.actor import Caller
from scopekey.authority.issue_key import issue_key
from scopekey.core.decision import Allowed
from scopekey.replica import journal_reader
from scopekey.replica.carrier import Carrier
from scopekey.replica.event import Event
from scopekey.replica.file_journal import FileJournal
from scopekey.replica.send_decisions import SendDecisions
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


@contextmanager
def carrying(folder, url, secret):
    """Hand up what lies in a folder until the block ends."""
    sender = SendDecisions(url, lambda: secret)
    sender._jitter = lambda: -0.98
    carrier = Carrier(folder, sender, node=lambda: NODE)
    carrier.start()
    try:
        yield
    finally:
        carrier.stop()
        sender.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the verifier's journal is; every frame goes up by itself, so that there are many calls."""
    monkeypatch.setattr(journal_reader, "_LARGE", 1)
    return tmp_path / "journal"


def hand_up(folder, url, secret):
    """Decide many times on another machine, as it were, and see all of it handed up."""
    journal = FileJournal(folder, lambda: NODE)
    for number in range(EVENTS):
        decision = Allowed(key(number), key(number).secrets[0])
        ticket = journal.append(
            Event(decision, 1_800_000_000_000 + number, f"up-{number}", REGISTER, operation="GET /")
        )
        if not number % 20:
            ticket.wait()
    journal.close()
    with carrying(folder, url, secret):
        until(lambda: not list(folder.glob("*.journal")))
    assert (0, 0) == (journal.waiting, journal.lost)


def recorded(home):
    """How often each decision of the verifier is in the log."""
    with closing(sqlite3.connect(home / "scopekey.db")) as store:
        rows = store.execute("SELECT body FROM arrivals UNION ALL SELECT body FROM entries").fetchall()
    found = Counter(read_entry(body).request_id for (body,) in rows)
    return {name: number for name, number in found.items() if name and name.startswith("up-")}


@contextmanager
def cut(port):
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def test_each_decision_is_in_the_log_once_though_replies_are_cut(tmp_path, folder):
    home = tmp_path / "home"
    prepare(home, 0)
    secret = verifiers_key(home)
    with serve(home, workers=2) as port, cut(port) as proxy:
        hand_up(folder, proxy.url, secret)
    assert 10 <= proxy.cut
    assert {f"up-{number}": 1 for number in range(EVENTS)} == recorded(home)


def test_without_the_ledger_the_same_journey_finds_decisions_twice(tmp_path, folder):
    """The control of the test above: it would notice."""
    home = tmp_path / "home"
    prepare(home, 0)
    secret = verifiers_key(home)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "unledgered:create_app", "--factory", "--log-level", "warning"]
    with running([*command, "--port", str(port)], home, port), cut(port) as proxy:
        hand_up(folder, proxy.url, secret)
    found = recorded(home)
    assert EVENTS == len(found)
    assert 2 <= max(found.values())


def test_decisions_wait_until_the_control_plane_is_there(tmp_path, folder, caplog):
    home = tmp_path / "home"
    prepare(home, 0)
    secret = verifiers_key(home)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    journal = FileJournal(folder, lambda: NODE)
    journal.append(Event(Allowed(key(1), key(1).secrets[0]), 1_800_000_000_000, "up-1", REGISTER)).wait()
    journal.close()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port)]
    with carrying(folder, f"http://127.0.0.1:{port}", secret):
        until(lambda: "cannot be reached" in caplog.text)
        assert list(folder.glob("*.journal"))
        with running(command, home, port):
            until(lambda: not list(folder.glob("*.journal")))
    assert {"up-1": 1} == recorded(home)
    assert secret not in caplog.text


def until(true, within=30.0):
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)
