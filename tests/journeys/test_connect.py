"""`Scopekey.connect`: a data plane inside an application, for all its processes, against a real control plane."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from scopekey import Scopekey
from scopekey.authority.actor import Caller
from scopekey.authority.revoke_key import revoke_key
from scopekey.gateway.home import StartRefusedError
from scopekey.server.node import Node
from scopekey.wire.resources import RevokeKey
from tests.journeys.planes import Deployment, revoke, until
from tests.journeys.serving import environment, free_port, leader_of, serve

pytestmark = pytest.mark.journey


@pytest.fixture
def deployment(tmp_path):
    return Deployment(tmp_path, keys=3)


def url(port):
    return f"http://127.0.0.1:{port}"


def code(keys, printed):
    """`allowed`, or the code of the refusal."""
    decision = keys.check(printed, "datasets:read")
    return "allowed" if decision else decision.reason.value


def entries(deployment):
    node = Node.open(deployment.settings)
    try:
        with node.store.reading() as tx:
            return [stored.entry for stored in tx.entries.newest(1_000)]
    finally:
        node.close()


def test_an_application_follows_and_its_decisions_get_into_the_audit_log(deployment):
    home = deployment.plane("app")
    (key_id, printed), *_ = deployment.keys
    with serve(deployment.home) as port, Scopekey.connect(url(port), key=deployment.feed_key, home=home) as keys:
        assert "allowed" == code(keys, printed)
        revoke(port, deployment.operator, key_id)
        until("revoked_key", code, keys, printed)
        node = (home / "node").read_text().strip()
        with pytest.raises(RuntimeError, match="where their store is"):
            _ = keys.management
    mine = [entry for entry in entries(deployment) if entry.kind == "decision" and entry.key == key_id]
    assert {node} == {entry.node for entry in mine}
    assert {None, "revoked_key"} == {entry.code for entry in mine}
    assert all(entry.age is not None and entry.position for entry in mine)


def test_on_an_event_loop_opening_holds_nothing_up(deployment):
    home = deployment.plane("app")
    printed = deployment.keys[0][1]

    async def application(port):
        async with Scopekey.connect(url(port), key=home / "feed.key", home=home) as keys:
            return bool(await keys.check_async(printed, "datasets:read"))

    with serve(deployment.home) as port:
        assert asyncio.run(application(port))


def test_an_application_starts_from_its_file_while_the_control_plane_is_away(deployment):
    home, port = deployment.plane("app"), free_port()
    printed = deployment.keys[0][1]
    with (
        serve(deployment.home, port=port),
        Scopekey.connect(url(port), key=deployment.feed_key, home=home) as keys,
    ):
        assert "allowed" == code(keys, printed)
    with Scopekey.connect(url(port), key=deployment.feed_key, home=home) as keys:
        assert "allowed" == code(keys, printed)
        node = Node.open(deployment.settings)
        revoke_key(node.authority, Caller.machine(), deployment.keys[0][0], RevokeKey(reason="other"))
        node.close()
        with serve(deployment.home, port=port):
            until("revoked_key", code, keys, printed)


def test_an_application_that_cannot_be_right_does_not_start(deployment):
    home = deployment.plane("app")
    with serve(deployment.home) as port:
        keys = Scopekey.connect(url(port), key=deployment.keys[0][1], home=home)
        with pytest.raises(StartRefusedError, match="missing_permission"):
            keys.check(deployment.keys[1][1], "datasets:read")
        (home / "pepper").write_text("ab" * 32)
        with pytest.raises(StartRefusedError, match="copy the pepper"):
            _ = Scopekey.connect(url(port), key=deployment.feed_key, home=home).verifier


PROGRAM = textwrap.dedent(
    """
    import os, sys
    from scopekey import Scopekey
    keys = Scopekey.connect(sys.argv[1], key=os.environ["FEED_KEY"], home=sys.argv[2])
    if "fork" in sys.argv:
        keys.verifier
        child = os.fork()
        if child:
            print(os.getpid(), flush=True)
            sys.stdin.readline()
            os._exit(0)
    for line in sys.stdin:
        decision = keys.check(line.strip(), "datasets:read")
        print(os.getpid(), "allowed" if decision else decision.reason.value, flush=True)
    """
)


class Process:
    """A process of an application: it reads keys and answers what became of them."""

    def __init__(self, deployment, home, port, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url(port), str(home), *words],
            env=environment(home, FEED_KEY=deployment.feed_key),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, printed):
        self.process.stdin.write(printed + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def test_processes_share_one_replica_and_another_follows_when_the_first_is_killed(deployment):
    home = deployment.plane("app")
    (first, printed), (second, other), _ = deployment.keys
    with (
        serve(deployment.home) as port,
        Process(deployment, home, port) as one,
        Process(deployment, home, port) as two,
    ):
        assert ["allowed"] * 2 == [process.ask(printed) for process in (one, two)]
        leading = {one.process.pid: (one, two), two.process.pid: (two, one)}[leader_of(home / "replica")]
        revoke(port, deployment.operator, first)
        for process in leading:
            until("revoked_key", process.ask, printed)
        leading[0].process.send_signal(signal.SIGKILL)
        leading[0].process.wait()
        revoke(port, deployment.operator, second)
        until("revoked_key", leading[1].ask, other)
        assert leading[1].process.pid == leader_of(home / "replica")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_after_a_fork_the_child_follows_when_the_parent_ends(deployment):
    home = deployment.plane("app")
    (key_id, printed), *_ = deployment.keys
    with serve(deployment.home) as port, Process(deployment, home, port, "fork") as process:
        parent = int(process.process.stdout.readline())
        assert parent == leader_of(home / "replica")
        process.process.stdin.write("\n")
        process.process.stdin.flush()
        process.process.wait(10)
        until("allowed", process.ask, printed)
        revoke(port, deployment.operator, key_id)
        until("revoked_key", process.ask, printed)
        child = leader_of(home / "replica")
        assert parent != child
        os.kill(child, signal.SIGKILL)
