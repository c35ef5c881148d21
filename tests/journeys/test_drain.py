"""Promise: a server that is told to stop finishes what it began; one that is killed leaves nothing behind."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.journeys.hammer import Hammer
from tests.journeys.planes import BOUND, Deployment, until
from tests.journeys.serving import free_port, gateway, one_for_each_worker, running, serve

pytestmark = pytest.mark.journey
GONE_WITHIN = 35.0


@pytest.fixture
def deployment(tmp_path):
    return Deployment(tmp_path, keys=1)


@contextlib.contextmanager
def control_plane(deployment, **more):
    port = free_port()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port), "--workers", "2"]
    with running(command, deployment.home, port, **more) as process:
        yield port, process


@contextlib.contextmanager
def data_plane(deployment, name="gateway"):
    home = deployment.plane(name)
    url = f"http://127.0.0.1:{deployment.control}"
    with gateway(home, url, workers=2, **deployment.set_for(home)) as (port, process):
        yield port, process


class Half:
    """A question whose body comes in two halves: the server has it in hand between them."""

    def __init__(self, port, operator, printed):
        body = json.dumps({"key": printed, "permissions": ["datasets:read"]}).encode()
        head = (
            f"POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {operator}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._rest = body[10:]
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.sendall(head.encode() + body[:10])

    def finish(self):
        """Send the rest; gives the whole answer, nothing where the connection was broken."""
        told = b""
        with self._socket, contextlib.suppress(ConnectionError):
            self._socket.sendall(self._rest)
            while data := self._socket.recv(65_536):
                told += data
        return told


class Stream(threading.Thread):
    """Follows the feed to its end. `began` when its first line came."""

    def __init__(self, port, key):
        super().__init__(daemon=True)
        self._about = port, key
        self.began = threading.Event()
        self.last = None
        self.start()

    def run(self):
        port, key = self._about
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(trust_env=False, timeout=20, headers=headers) as client:
            url = f"http://127.0.0.1:{port}"
            with client.stream("GET", f"{url}/v1/snapshot") as answer:
                header = json.loads(next(answer.iter_lines()))
            where = {"after": header["position"], "mark": header["mark"]}
            with client.stream("GET", f"{url}/v1/changes", params=where) as answer:
                for line in answer.iter_lines():
                    self.last = json.loads(line)
                    self.began.set()


def test_what_was_accepted_is_answered_and_streams_are_ended_with_their_end(deployment):
    with control_plane(deployment) as (control, serving):
        deployment.control = control
        with data_plane(deployment) as (port, relaying):
            for at, process in ((port, relaying), (control, serving)):
                halves = [Half(at, deployment.operator, deployment.keys[0][1]) for _ in range(12)]
                streams = [Stream(at, deployment.feed_key) for _ in range(6)]
                assert all(stream.began.wait(BOUND) for stream in streams)
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                for stream in streams:
                    stream.join(BOUND)
                # Every worker has been told by now: what it has in hand is finished all the same.
                told = [half.finish() for half in halves]
                assert [("end", "draining")] * 6 == [(s.last["kind"], s.last["code"]) for s in streams]
                assert [b"HTTP/1.1 200 OK"] * 12 == [answer[:15] for answer in told]
                assert all(b'"allowed":true' in answer for answer in told)
                assert 0 == process.wait(GONE_WITHIN)
                assert time.monotonic() - began < GONE_WITHIN


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def living(pids):
    """Those that still run: one that has ended and that nobody has asked about yet is gone too."""

    def lives(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return [pid for pid in pids if lives(pid)]


def test_when_the_process_that_watches_is_killed_no_other_outlives_it(deployment):
    with control_plane(deployment) as (control, serving):
        deployment.control = control
        with data_plane(deployment) as (_, relaying):
            for process, least in ((relaying, 3), (serving, 2)):
                started = children(process.pid)
                assert least <= len(living(started))
                process.send_signal(signal.SIGKILL)
                process.wait()
                until([], living, started, within=30)


def test_a_worker_that_is_killed_loses_what_it_had_in_hand_and_is_back(deployment):
    printed = deployment.keys[0][1]
    with serve(deployment.home) as control:
        deployment.control = control
        with data_plane(deployment) as (port, _), Hammer([port], each=8) as hammer:
            answers = hammer.ask_about(printed)
            connections = one_for_each_worker(port, 2)
            hammer.wait_until(lambda told: len(told) > 100)
            killed, survivor = sorted(connections)
            os.kill(killed, signal.SIGKILL)
            before = len(answers)
            hammer.wait_until(lambda told: len(told) > before + 200)
            assert survivor == connections[survivor].worker(), "the other worker's connections stay"
            others = one_for_each_worker(port, 2)
            assert killed not in others, "another one has taken its place"
            assert hammer.broken <= 8, "each connection breaks once at most"
            assert {"allowed"} == {answer.code for answer in answers}
            for connection in (*connections.values(), *others.values()):
                connection.close()
        # The control of the test about what was accepted: killed workers finish nothing.
        with data_plane(deployment, "another") as (port, _):
            halves = [Half(port, deployment.operator, printed) for _ in range(4)]
            for worker, connection in one_for_each_worker(port, 2).items():
                os.kill(worker, signal.SIGKILL)
                connection.close()
            assert [b""] * 4 == [half.finish() for half in halves]


def test_the_journey_notices_a_process_that_is_left_behind():
    """The control of the test about orphans."""
    left = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert [left.pid] == living([left.pid])
    finally:
        left.kill()
        left.communicate()
    assert [] == living([left.pid])
