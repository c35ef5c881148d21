"""Promises of a server with several workers to whoever watches it: counters go up only, and each event is one line."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.journeys.serving import Connection, end, environment, free_port, one_for_each_worker
from tests.journeys.test_revocation import prepare

pytestmark = pytest.mark.journey
ALLOWED = re.compile(r'^scopekey_decisions_total\{code="allowed"\} (\S+)$', re.MULTILINE)


def allowed(port):
    """What whichever worker answers tells of both; None where it is the one that was just killed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return float(ALLOWED.search(connection.getresponse().read().decode())[1])
    except (ConnectionError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def test_counters_survive_a_killed_worker_and_everything_said_is_json(tmp_path):
    home = tmp_path / "home"
    operator, _ = prepare(home, 1)
    port = free_port()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port), "--workers", "2"]
    said = environment(home, SCOPEKEY_LOG_FORMAT="json")
    server = subprocess.Popen(command, env=said, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        found, killed = [], None
        for connection in connected(server, port).values():
            for _ in range(20):
                assert 200 == connection.request("GET", "/v1/whoami", operator)[0]
            killed = connection.worker()
            connection.close()
        ends = time.monotonic() + 30
        while (found or [0])[-1] < 40:
            assert time.monotonic() < ends, found
            found += [value] if (value := allowed(port)) is not None else []
        # It tells the others once a second.
        time.sleep(1.2)
        os.kill(killed, signal.SIGKILL)
        for _ in range(100):
            found += [value] if (value := allowed(port)) is not None else []
        for connection in one_for_each_worker(port, 2).values():
            assert 200 == connection.request("GET", "/v1/whoami", operator)[0]
            connection.close()
        while found[-1] < 42:
            assert time.monotonic() < ends, found
            found += [value] if (value := allowed(port)) is not None else []
    finally:
        end(server)
        out, err = server.communicate()
    assert (sorted(found), 42) == (found, found[-1])
    events = [json.loads(line) for line in err.splitlines()]
    assert "" == out
    assert ["info", "warning"] == [event["level"] for event in events]
    assert events[0]["event"].startswith(f"Scopekey listens on http://127.0.0.1:{port}")
    assert re.fullmatch(r"the worker \d process ended \(killed by SIGKILL\) and is started again", events[1]["event"])
    assert [] == list((home / "metrics").iterdir())


def connected(server, port):
    ends = time.monotonic() + 30
    while True:
        assert server.poll() is None
        assert time.monotonic() < ends
        try:
            first = Connection(port)
            first.close()
            return one_for_each_worker(port, 2)
        except OSError:
            time.sleep(0.05)
