"""Data planes apart from their control plane: real processes, a network that breaks, files that are damaged."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.journeys.cutter import Cutter
from tests.journeys.planes import Deployment, check, follows, is_stale, revoke, state, until
from tests.journeys.serving import environment, free_port, gateway, leader_of, running, serve

pytestmark = pytest.mark.journey


@pytest.fixture
def deployment(tmp_path):
    return Deployment(tmp_path, keys=4)


def url(port):
    return f"http://127.0.0.1:{port}"


def test_what_is_revoked_on_the_control_plane_is_refused_on_every_gateway(deployment):
    homes = [deployment.plane(f"gateway{at}") for at in range(2)]
    with (
        serve(deployment.home, workers=2) as control,
        gateway(homes[0], url(control), workers=2, **deployment.set_for(homes[0])) as (first, _),
        gateway(homes[1], url(control), **deployment.set_for(homes[1])) as (second, _),
    ):
        for key_id, printed in deployment.keys:
            assert ["allowed"] * 3 == [check(port, printed) for port in (control, first, second)]
            revoke(control, deployment.operator, key_id)
            assert "revoked_key" == check(control, printed)
            for port in (first, second):
                assert {"allowed"} >= set(until("revoked_key", check, port, printed))


def test_without_a_follower_the_same_key_goes_on_being_allowed(deployment):
    """The control of the test above: it would notice."""
    home = deployment.plane("gateway")
    with (
        serve(deployment.home) as control,
        gateway(home, url(control), **deployment.set_for(home)) as (port, _),
    ):
        os.kill(leader_of(home / "replica"), signal.SIGSTOP)
        key_id, printed = deployment.keys[0]
        revoke(control, deployment.operator, key_id)
        with pytest.raises(AssertionError, match="did not come"):
            until("revoked_key", check, port, printed, within=2)
        os.kill(leader_of(home / "replica"), signal.SIGCONT)
        until("revoked_key", check, port, printed)


def test_a_gateway_goes_on_without_its_control_plane_is_restarted_from_its_file_and_catches_up(deployment):
    home, port = deployment.plane("gateway"), free_port()
    (first, printed), (_, other), *_ = deployment.keys
    settings = deployment.set_for(home)
    with serve(deployment.home, port=port), gateway(home, url(port), **settings) as (answering, _):
        until("allowed", check, answering, printed)
    # Both have ended: what follows starts from the file alone.
    with gateway(home, url(port), **settings) as (answering, _):
        assert "allowed" == check(answering, printed)
        until("away", follows, answering)
        with serve(deployment.home, port=port):
            revoke(port, deployment.operator, first)
            until("revoked_key", check, answering, printed)
            assert "allowed" == check(answering, other)
            assert not state(answering)["stale"]


class Asking:
    """Somebody who checks a key without end; `answers` is what came."""

    def __init__(self, port, printed):
        self.answers = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(port, printed))

    def _ask(self, port, printed):
        while not self._ended.is_set():
            self.answers.append(check(port, printed))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


def test_a_control_plane_that_is_killed_and_restarted_under_load_is_missed_by_nobody(deployment):
    home, port = deployment.plane("gateway"), free_port()
    *gone, (_, stays) = deployment.keys
    command = [sys.executable, "-m", "scopekey", "serve", "--port", str(port)]
    with ExitStack() as stack:
        killed = stack.enter_context(running(command, deployment.home, port))
        answering, _ = stack.enter_context(gateway(home, url(port), **deployment.set_for(home)))
        until("allowed", check, answering, stays)
        asking = stack.enter_context(Asking(answering, stays))
        for key_id, printed in gone:
            killed.kill()
            killed.wait()
            # Its worker notices that it is alone, and lets go of the port.
            until("down", check, port, stays)
            killed = stack.enter_context(running(command, deployment.home, port))
            revoke(port, deployment.operator, key_id)
            until("revoked_key", check, answering, printed)
    assert len(asking.answers) > 100
    assert {"allowed"} == set(asking.answers), "who asks the gateway hears nothing of it"


@pytest.mark.parametrize("how", ["stopped", "partitioned"])
def test_a_follower_that_hears_nothing_marks_then_refuses_and_comes_back(deployment, how):
    home = deployment.plane("gateway")
    settings = deployment.set_for(home, STALE_AFTER="1s", REFUSE_AFTER="3s")
    key_id, printed = deployment.keys[0]
    with (
        serve(deployment.home) as control,
        Cutter(control) as network,
        gateway(home, network.url, **settings) as (port, _),
    ):
        until("allowed", check, port, printed)
        follower = leader_of(home / "replica")
        if how == "stopped":
            os.kill(follower, signal.SIGSTOP)
        else:
            network.hold()
        began = time.monotonic()
        revoke(control, deployment.operator, key_id)
        until(True, is_stale, port)
        assert "allowed" == check(port, printed), "stale, but not yet too old to answer from"
        assert {"allowed"} >= set(until("stale_replica", check, port, printed))
        took = time.monotonic() - began
        assert 503 == httpx.get(f"{url(port)}/readyz", trust_env=False).status_code
        assert took >= 2, "it answered for as long as it was allowed to"
        if how == "stopped":
            os.kill(follower, signal.SIGCONT)
        else:
            network.go_on()
            network.cut()
        assert {"stale_replica"} >= set(until("revoked_key", check, port, printed))


def test_a_gateway_relays_the_feed_and_its_own_age_with_it(deployment):
    homes = [deployment.plane(f"gateway{at}") for at in range(2)]
    settings = [deployment.set_for(home, STALE_AFTER="1s", REFUSE_AFTER="3s") for home in homes]
    (first, printed), (second, other), *_ = deployment.keys
    with (
        serve(deployment.home) as control,
        Cutter(control) as network,
        gateway(homes[0], network.url, **settings[0]) as (middle, _),
        gateway(homes[1], url(middle), **settings[1]) as (far, _),
    ):
        until("allowed", check, far, printed)
        revoke(control, deployment.operator, first)
        until("revoked_key", check, far, printed)
        network.hold()
        # The link between the two gateways is healthy; what it tells is not.
        until("stale_replica", check, far, other)
        network.go_on()
        network.cut()
        until("allowed", check, far, other)
        assert second


@pytest.mark.parametrize("damage", ["truncated", "flipped", "deleted", "emptied"])
def test_a_replica_that_is_damaged_while_it_is_used_allows_nothing_wrong_and_is_built_anew(deployment, damage):
    home = deployment.plane("gateway")
    (revoked, gone), (_, printed), *_ = deployment.keys
    with (
        serve(deployment.home) as control,
        gateway(home, url(control), workers=2, **deployment.set_for(home)) as (port, _),
    ):
        revoke(control, deployment.operator, revoked)
        until("revoked_key", check, port, gone)
        _damage(home / "replica", damage)
        answers = {check(port, gone) for _ in range(50)}
        assert "allowed" not in answers
        # A change makes the follower look at every page it needs; a damaged one is found now, if not before.
        revoke(control, deployment.operator, deployment.keys[2][0])
        until("revoked_key", check, port, deployment.keys[2][1], within=20)
        until("allowed", check, port, printed, within=20)
        assert "revoked_key" == check(port, gone)


def _damage(replica: Path, how: str) -> None:
    file = replica / (replica / "CURRENT").read_text().strip() / "data.mdb"
    if how == "truncated":
        os.truncate(file, 8192)
    elif how == "emptied":
        os.truncate(file, 0)
    elif how == "flipped":
        content = bytearray(file.read_bytes())
        for at in range(8192, len(content)):
            content[at] ^= 0xFF
        with file.open("r+b") as opened:
            opened.write(content)
    else:
        for path in sorted(replica.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


def test_two_gateways_on_one_folder_share_one_replica_and_one_follower(deployment):
    home = deployment.plane("gateway")
    settings = deployment.set_for(home)
    (first, printed), (second, other), *_ = deployment.keys
    with (
        serve(deployment.home) as control,
        gateway(home, url(control), **settings) as (one, process),
        gateway(home, url(control), **settings) as (two, _),
    ):
        revoke(control, deployment.operator, first)
        for port in (one, two):
            until("revoked_key", check, port, printed)
        leader = leader_of(home / "replica")
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        revoke(control, deployment.operator, second)
        until("revoked_key", check, two, other)
        assert leader != leader_of(home / "replica")


def refused(home, upstream, *words, **settings):
    """Start a gateway that must not start; gives what it says, and how long it took to say it."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "scopekey", "gateway", "--upstream", upstream, "--port", str(free_port()), *words],
        env=environment(home, **settings),
        text=True,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert 2 == done.returncode, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr, time.monotonic() - began


def test_a_gateway_that_cannot_be_right_does_not_start_and_says_what_to_do(deployment, tmp_path):
    home = deployment.plane("gateway")
    settings = deployment.set_for(home)
    key_id, printed = deployment.keys[0]
    with serve(deployment.home) as control:
        (home / "pepper").write_text("ab" * 32)
        said, _ = refused(home, url(control), **settings)
        assert "copy the pepper of the control plane" in said
        (home / "pepper").unlink()
        assert "pepper" in refused(home, url(control), **settings)[0]
        (home / "pepper").write_text((deployment.home / "pepper").read_text())

        (home / "feed.key").write_text(printed)
        said, _ = refused(home, url(control), **settings)
        assert "missing_permission" in said
        assert "scopekey_changes:read" in said
        revoke(control, deployment.operator, key_id)
        said, _ = refused(home, url(control), **settings)
        assert "revoked_key" in said
        assert printed not in said
        (home / "feed.key").write_text(deployment.feed_key)

        assert "no Scopekey" in refused(home, f"{url(control)}/elsewhere", **settings)[0]
        assert "plain text" in refused(home, "http://192.0.2.1", **settings)[0]
        assert "of a control plane" in refused(deployment.home, url(control), **settings)[0]
        assert "key for the upstream" in refused(home, url(control))[0]

        with gateway(home, url(control), **settings) as (port, _):
            until("allowed", check, port, deployment.keys[1][1])
    another = Deployment(_made(tmp_path / "another"))
    with serve(another.home) as control:
        (home / "pepper").write_text((another.home / "pepper").read_text())
        (home / "feed.key").write_text(another.feed_key)
        assert "another deployment" in refused(home, url(control), **settings)[0]
        with pytest.raises(AssertionError, match="the server ended"), gateway(home, url(control), **settings):
            pass
        command = [sys.executable, "-m", "scopekey", "gateway", "--replace-replica", "--port", str(port := free_port())]
        with running([*command, "--upstream", url(control)], home, port, **settings):
            until("allowed", check, port, another.keys[0][1])


def test_a_gateway_with_nothing_to_answer_from_says_so_and_refuses_until_there_is(deployment):
    home, port = deployment.plane("gateway"), free_port()
    printed = deployment.keys[0][1]
    with gateway(home, url(port), ready=False, **deployment.set_for(home)) as (answering, _):
        assert "stale_replica" == check(answering, printed)
        assert not state(answering)["ready"]
        with serve(deployment.home, port=port):
            until("allowed", check, answering, printed)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_said_at_once(deployment, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(small)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        (small / "pepper").write_text((deployment.home / "pepper").read_text())
        (small / "feed.key").write_text(deployment.feed_key)
        with serve(deployment.home) as control:
            said, _ = refused(small, url(control), **deployment.set_for(small))
        assert "No space left" in said
        assert "see to its disk" in said
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _made(folder):
    folder.mkdir()
    return folder
