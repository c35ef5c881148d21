"""Promises of `scopekey serve` to whoever ends it, kills it, or changes keys beside it."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest

from scopekey import Scopekey
from scopekey.audit.entry import read_entry
from scopekey.cli.main import PRINTED
from tests.journeys.serving import (
    START_WITHIN,
    Connection,
    environment,
    free_port,
    one_for_each_worker,
    running,
    scopekey,
    serve,
)
from tests.journeys.test_revocation import prepare

pytestmark = pytest.mark.journey
BODY = json.dumps({"name": "Slow", "permissions": []}).encode()


@contextmanager
def served(home, *, workers=1):
    """`scopekey serve` as (process, port), for tests that end it themselves."""
    port = free_port()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port), "--workers", str(workers)]
    with running(command, home, port) as process:
        yield process, port


def begin_slowly(port, operator):
    """Start to issue a key: the headers and half the body are sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = (
        "POST /v1/keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {operator}\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    connection.sendall(head.encode() + BODY[: len(BODY) // 2])
    return connection


def finish(connection):
    """Send the rest; gives the status and the JSON."""
    connection.sendall(BODY[len(BODY) // 2 :])
    received = b""
    while read := connection.recv(65536):
        received += read
    connection.close()
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def wait_until_it_takes_no_more(port):
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return
    raise AssertionError("the server still takes connections")


def decisions(home):
    with closing(sqlite3.connect(home / "scopekey.db")) as store:
        rows = store.execute("SELECT body FROM arrivals UNION ALL SELECT body FROM entries").fetchall()
    return sum(read_entry(body).kind == "decision" for (body,) in rows)


def is_allowed(home, printed):
    with Scopekey.open(home) as keys:
        return bool(keys.check(printed))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_request_that_was_started_is_finished(tmp_path, number):
    home = tmp_path / "home"
    operator, _ = prepare(home, 0)
    with served(home) as (process, port):
        connection = begin_slowly(port, operator)
        # The answer to a later request shows that the earlier one was taken.
        other = Connection(port)
        assert other.ready()
        other.close()
        process.send_signal(number)
        wait_until_it_takes_no_more(port)
        assert process.poll() is None
        status, answer = finish(connection)
        assert process.wait(30) in {0, -number}
    assert 201 == status
    assert is_allowed(home, answer["secret"])


def ids(home):
    """The keys there are."""
    return [line.split("\t")[0] for line in scopekey("keys", "list", home=home).stdout.splitlines()]


def test_a_request_that_is_never_finished_leaves_no_half_written_key(tmp_path):
    home = tmp_path / "home"
    operator, _ = prepare(home, 0)
    before = ids(home)
    with served(home) as (process, port):
        connection = begin_slowly(port, operator)
        process.send_signal(signal.SIGTERM)
        wait_until_it_takes_no_more(port)
        connection.close()
        process.wait(30)
    assert before == ids(home)
    assert is_allowed(home, operator)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_decided_before_the_end_is_in_the_store(tmp_path, workers):
    home = tmp_path / "home"
    _, [(_, printed)] = prepare(home, 1)
    with served(home, workers=workers) as (process, port):
        before = decisions(home)
        for connection in one_for_each_worker(port, workers).values():
            for _ in range(20):
                assert 401 == connection.request("GET", "/v1/keys", printed)[0]
            connection.close()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert before + 20 * workers == decisions(home)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_told_in_one_line(tmp_path, workers):
    home = tmp_path / "home"
    prepare(home, 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = scopekey("serve", "--port", port, "--workers", workers, home=home)
    assert 2 == ended.returncode
    assert f"127.0.0.1:{port} cannot be listened on" in ended.stderr
    assert 1 == len(ended.stderr.splitlines())


def test_a_killed_worker_is_replaced_while_the_others_go_on(tmp_path):
    home = tmp_path / "home"
    operator, [(key_id, printed)] = prepare(home, 1)
    with serve(home, workers=2) as port:
        connections = one_for_each_worker(port, 2)
        killed, left = connections
        os.kill(killed, signal.SIGKILL)
        question = {"key": printed, "permissions": []}
        assert connections[left].request("POST", "/v1/verify", operator, question)[1]["allowed"]
        renewed = dict.fromkeys(connections)
        deadline = time.monotonic() + START_WITHIN
        while set(renewed) <= set(connections):
            assert time.monotonic() < deadline
            try:
                renewed = one_for_each_worker(port, 2)
            except OSError:  # taken by the worker that was killed
                continue
        assert left in renewed
        # The new one knows everything, and what is changed from now on.
        status, _ = connections[left].request("POST", f"/v1/keys/{key_id}/revoke", operator, {"reason": "other"})
        assert 200 == status
        for connection in renewed.values():
            assert "revoked_key" == connection.request("POST", "/v1/verify", operator, question)[1]["code"]
            connection.close()
        for connection in connections.values():
            connection.close()


def test_after_everything_was_killed_the_keys_work_that_were_answered(tmp_path):
    home = tmp_path / "home"
    operator, [(revoked, _)] = prepare(home, 1)
    port = free_port()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, env=environment(home), start_new_session=True)
    try:
        connections = _connected(process, port)
        one, other = connections.values()
        issued = one.request("POST", "/v1/keys", operator, {"name": "Last", "permissions": []})
        assert 201 == issued[0]
        assert 200 == other.request("POST", f"/v1/keys/{revoked}/revoke", operator, {"reason": "other"})[0]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for connection in connections.values():
        connection.close()
    with serve(home, workers=2) as again:
        for connection in one_for_each_worker(again, 2).values():
            question = {"key": issued[1]["secret"], "permissions": []}
            assert connection.request("POST", "/v1/verify", operator, question)[1]["allowed"]
            assert "revoked" == connection.request("GET", f"/v1/keys/{revoked}", operator)[1]["status"]
            connection.close()


def _connected(process, port, workers=2):
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            return one_for_each_worker(port, workers)
        except OSError:
            continue
    raise AssertionError("the server did not become ready")


def test_a_revocation_by_the_command_line_is_known_to_every_worker_when_it_returns(tmp_path):
    home = tmp_path / "home"
    operator, keys = prepare(home, 3)
    with serve(home, workers=2) as port:
        connections = one_for_each_worker(port, 2)
        for key_id, printed in keys:
            ended = scopekey("keys", "revoke", key_id, "--reason", "compromised", "--yes", home=home)
            assert (0, "") == (ended.returncode, ended.stderr)
            question = {"key": printed, "permissions": []}
            answers = [
                connection.request("POST", "/v1/verify", operator, question)[1]["code"]
                for connection in connections.values()
            ]
            assert ["revoked_key"] * 2 == answers
        for connection in connections.values():
            connection.close()


def test_nothing_that_the_server_says_holds_a_key(tmp_path):
    home = tmp_path / "home"
    operator, [(_, printed)] = prepare(home, 1)
    port = free_port()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        connection = _connected(process, port, workers=1).popitem()[1]
        for key, path in ((operator, "/v1/whoami"), (printed, "/v1/keys"), (printed, f"/v1/{printed}?key={printed}")):
            connection.request("GET", path, key)
        connection.request("POST", "/v1/verify", operator, {"key": printed, "permissions": [printed]})
        connection.request("POST", "/v1/keys", operator, {"name": printed, "secret": operator})
        connection.close()
        # What is no HTTP at all is complained about in the log.
        with socket.create_connection(("127.0.0.1", port), timeout=5) as broken:
            broken.sendall(f"GET {printed}\r\nAuthorization {printed}\r\n\r\n".encode())
            assert b"400" in broken.recv(65536)
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    assert "Scopekey listens" in said
    assert not PRINTED.search(said)
