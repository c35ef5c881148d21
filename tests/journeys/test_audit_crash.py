"""Promise: what was acknowledged in the mode `strict` is in the log exactly once, whoever is killed, and when."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from scopekey.server.beginning import begin
from scopekey.settings import Settings
from tests.journeys.audit_load import Load
from tests.journeys.audit_outcome import look, settle
from tests.journeys.planes import Deployment
from tests.journeys.serving import environment, free_port, running

pytestmark = pytest.mark.journey
ROOT = Path(__file__).parents[2]
CONTROL = 10
"""How many kills are enough to see that something is amiss."""


@pytest.fixture
def killed(tmp_path):
    """Kill recording processes so many times, in one of the ways of `audit_kills`; gives what became of it."""

    def kill(kills, way):
        home = tmp_path / "home"
        begin(Settings(home=home))
        seed = random.SystemRandom().randrange(1 << 32)
        words = [sys.executable, "-m", "tests.journeys.audit_kills", str(home), str(kills), str(seed), way]
        done = subprocess.run(
            words, cwd=ROOT, env=environment(home), text=True, capture_output=True, timeout=60 + kills, check=False
        )
        assert 0 == done.returncode, f"seed {seed}: {done.stderr[-2000:]}"
        return json.loads(done.stdout) | {"seed": seed}

    return kill


@pytest.fixture
def kills(request):
    return request.config.getoption("--kill-cycles", 200)


def nothing_is_missing(told, kills):
    assert {"missing": 0, "twice": 0, "intact": True, "left": 0} == {
        name: told[name] for name in ("missing", "twice", "intact", "left")
    }, told
    # Otherwise it shows nothing.
    assert kills <= told["acknowledged"]
    return True


@pytest.mark.timeout(0)
def test_what_was_acknowledged_is_in_the_log_once_whoever_is_killed(killed, kills):
    assert nothing_is_missing(killed(kills, "killed"), kills)


@pytest.mark.timeout(0)
def test_what_was_synced_is_enough_after_a_loss_of_power(killed, kills):
    told = killed(kills // 4, "power")
    assert nothing_is_missing(told, kills // 4)
    assert 0 < told["unsynced"]


@pytest.mark.parametrize("way", ["hasty", "lazy", "below"])
def test_without_what_protects_them_decisions_are_missing(killed, way):
    """The controls: an answer before the writing, one before the sync, and a disk that loses what was synced."""
    told = killed(CONTROL, way)
    assert 0 < told["missing"], told
    assert 0 == told["twice"]


def test_without_the_ledger_decisions_are_there_twice(killed):
    """The control of `exactly once`."""
    assert 0 < killed(4 * CONTROL, "unledgered")["twice"]


def children(pid):
    """The workers and the keeper that a server has started."""
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if is_one_of_ours(child)]


def is_one_of_ours(pid):
    with suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def is_keeper(pid):
    """Whether it holds the carrier's lock: of the processes of a home folder, the keeper does."""
    with suppress(OSError):
        return any(link.readlink().name == "carrier.lock" for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


def kill(*pids):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def until_there(pid, load):
    """Wait until somebody answers, and the keeper is at work."""
    end = time.monotonic() + 30
    while not any(map(is_keeper, children(pid))):
        assert time.monotonic() < end
        time.sleep(0.02)
    load.wait_for("allowed", 50)


def until_gone(port):
    """Wait until nobody listens any more: what was killed may take a moment."""
    with suppress(ConnectionRefusedError):
        while True:
            with suppress(ConnectionResetError):
                socket.create_connection(("127.0.0.1", port)).close()
            time.sleep(0.01)


def test_a_whole_server_is_killed_in_parts_and_as_a_whole(tmp_path):
    deployment = Deployment(tmp_path, keys=2)
    settings, port = deployment.settings, free_port()
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port), "--workers", "2"]
    strict = {"SCOPEKEY_JOURNAL": "strict"}
    with Load(port, [secret for _, secret in deployment.keys] + [deployment.feed_key]) as load:
        with running(command, deployment.home, port, **strict) as server:
            until_there(server.pid, load)
            kill(next(pid for pid in children(server.pid) if not is_keeper(pid)))
            until_there(server.pid, load)
            kill(*filter(is_keeper, children(server.pid)))
            until_there(server.pid, load)
            # The one that watches first, so that it starts nobody.
            everybody = [server.pid, *children(server.pid)]
            kill(*everybody)
            server.wait()
            until_gone(port)
        with running(command, deployment.home, port, **strict) as server:
            until_there(server.pid, load)
            kill(*children(server.pid))
            until_there(server.pid, load)
    assert 0 < load.told["missing_permission"]
    settle(settings)
    outcome = look(settings, load.acknowledged)
    assert outcome.holds, (outcome.missing[:5], outcome.twice[:5], outcome.verdict)
    assert 200 < outcome.acknowledged
