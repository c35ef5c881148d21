"""Several machines on one PostgreSQL follow each other, and a machine that cannot says how old it is."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import psycopg
import pytest

from scopekey.authority.revoke_key import revoke_key
from scopekey.replica.clock import milliseconds
from scopekey.replica.freshness import FeedFreshness, HomeFreshness
from scopekey.server.node import Node
from scopekey.store.errors import StoreUnavailableError
from scopekey.wire.resources import RevokeKey
from tests.journeys.planes import until
from tests.server.nodes import machines
from tests.server.running import Deployment

pytestmark = pytest.mark.postgres


class Machine(Deployment):
    """A node, and what is asked of it most."""

    def revoke(self, key_id):
        revoke_key(self.node.authority, self.machine, key_id, RevokeKey(reason="other"))

    def says(self, printed):
        """`allowed`, or the code of the refusal."""
        decision = self.node.verifier.check(printed, "datasets:read")
        return "allowed" if decision else str(decision.reason)

    def age(self):
        return self.node.verifier.freshness.age(milliseconds())

    def is_stale(self):
        return self.age() > self.node.settings.stale_after

    @property
    def leads(self):
        return self.node._follower.leads


@pytest.fixture
def opened():
    """Opens nodes that are closed at the end, and lets them follow unless told not to."""
    with ExitStack() as opened:

        def open_machine(settings, operator="", *, follow=True):
            node = Node.open(settings, lock_timeout=200)
            opened.callback(node.close)
            if follow:
                node.follow()
            return Machine(node, operator)

        yield open_machine


@pytest.fixture
def places(tmp_path, postgres_url):
    """The settings of three machines on one database."""
    return machines(tmp_path, postgres_url, 3, stale_after=3_000)[0]


def followers():
    return [thread for thread in threading.enumerate() if thread.name == "scopekey-follower"]


def test_what_is_revoked_on_one_machine_is_refused_on_the_other_both_ways(places, opened):
    one, two = map(opened, places[:2])
    for here, there in ((one, two), (two, one), (one, two)):
        key, printed = here.key("datasets:read")
        until("allowed", there.says, printed)
        here.revoke(key)
        assert "revoked_key" == here.says(printed)
        until("revoked_key", there.says, printed)
    assert one.node.index.place() == two.node.index.place()


def test_a_machine_that_does_not_follow_goes_on_allowing(places, opened):
    """The control of the one before: a third machine shows that there was time enough."""
    one, witness = opened(places[0]), opened(places[2])
    key, printed = one.key("datasets:read")
    two = opened(places[1], follow=False)
    one.revoke(key)
    until("revoked_key", witness.says, printed)
    assert "allowed" == two.says(printed)


def test_a_machine_that_follows_stays_fresh_and_one_that_does_not_grows_old(places, opened):
    one, two = opened(places[0]), opened(places[1], follow=False)
    assert not two.is_stale()
    ages = []
    until(True, lambda: ages.append(one.age()) or two.is_stale())
    assert 3_000 < two.age() < 60_000
    assert max(ages) <= 3_000


def test_machines_that_were_cut_off_go_stale_and_recover_by_themselves(tmp_path, opened, own_server, caplog):
    places, _ = machines(tmp_path, own_server.get_uri(), 2, stale_after=2_000)
    one, two = map(opened, places)
    key, printed = one.key("datasets:read")
    until("allowed", two.says, printed)
    own_server.stop()
    until((True, True), lambda: (one.is_stale(), two.is_stale()))
    event, _ = two.node.verifier.ask(printed, ("datasets:read",))
    assert (True, True) == (bool(event.decision), event.stale)
    with pytest.raises(StoreUnavailableError), one.node.store.writing():
        pass
    own_server.ensure_postgres_running()
    until((False, False), lambda: (one.is_stale(), two.is_stale()), within=20)
    one.revoke(key)
    until("revoked_key", two.says, printed)
    until(True, lambda: two.node._follower._running.waiting.hears)
    assert 2 == caplog.text.count("the store cannot be followed"), "each machine says it once for the outage"
    assert 2 == caplog.text.count("the store is followed again")


def test_a_lock_that_is_held_long_stops_nobody_for_ever(places, opened, postgres_url):
    one, two = map(opened, places[:2])
    key, printed = one.key("datasets:read")
    until("allowed", two.says, printed)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("LOCK TABLE feed IN ACCESS EXCLUSIVE MODE")
        until(True, two.is_stale)
        assert "allowed" == two.says(printed)
        # Nobody of this machine waits for the replica's write lock meanwhile.
        began = time.monotonic()
        two.node.index.pend(b"m" * 16, milliseconds())
        assert time.monotonic() - began < 1
    until(False, two.is_stale)
    one.revoke(key)
    until("revoked_key", two.says, printed)


def test_of_two_processes_of_a_machine_one_follows_and_the_other_takes_over(places, opened):
    one = opened(places[0])
    first = opened(places[1])
    until(True, lambda: first.leads)
    second = opened(places[1])
    key, printed = one.key("datasets:read")
    until("allowed", second.says, printed)
    assert (True, False) == (first.leads, second.leads)
    first.node._follower.stop()
    until(True, lambda: second.leads)
    one.revoke(key)
    until("revoked_key", second.says, printed)


FOLLOW = """
import sys, time
from pathlib import Path
from scopekey.server.node import Node
from tests.server.running import settings

node = Node.open(settings(Path(sys.argv[1]), home=Path(sys.argv[2]), database_url=sys.argv[3]))
node.follow()
while not node._follower.leads:
    time.sleep(0.01)
print("leads", flush=True)
sys.stdin.read()
"""


def test_where_the_process_that_follows_is_killed_another_takes_over(places, opened, postgres_url, tmp_path):
    words = [str(tmp_path), str(places[1].home), postgres_url]
    process = subprocess.Popen(
        [sys.executable, "-c", FOLLOW, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    try:
        assert "leads\n" == process.stdout.readline()
        one, second = opened(places[0]), opened(places[1])
        key, printed = one.key("datasets:read")
        until("allowed", second.says, printed)
        assert not second.leads
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(True, lambda: second.leads)
        one.revoke(key)
        until("revoked_key", second.says, printed)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()


FORK = """
import os, sys, time
from scopekey import Scopekey

home, url, printed = sys.argv[1:4]
keys = Scopekey.open(home, database_url=url)
assert keys.check(printed, "datasets:read")
child = os.fork()
if child:
    print("ready", flush=True)
    os._exit(0)
while keys.check(printed, "datasets:read"):
    time.sleep(0.01)
print(keys.check(printed, "datasets:read").reason, flush=True)
keys.close()
print("closed", flush=True)
"""


def test_a_child_after_a_fork_follows_by_itself_when_its_parent_is_gone(places, opened, postgres_url):
    one = opened(places[0])
    key, printed = one.key("datasets:read")
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", FORK, str(places[1].home), postgres_url, printed],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert "ready\n" == process.stdout.readline()
        process.wait()
        one.revoke(key)
        assert ["revoked_key\n", "closed\n"] == list(process.stdout)
    finally:
        process.stdout.close()
        process.kill()
        process.wait()


def test_closing_ends_the_thread_and_lets_another_lead(places, opened):
    before = followers()
    node = Node.open(places[0])
    node.follow()
    node.follow()
    assert 1 == len(followers()) - len(before)
    node.close()
    assert before == followers()
    # A check that came late starts nothing again.
    node._look()
    assert before == followers()
    node.close()
    other = opened(places[0])
    until(True, lambda: other.leads)


def test_a_thread_that_was_lost_starts_again_where_checks_are_asked_for(places, opened):
    one = opened(places[0])
    _, printed = one.key("datasets:read")
    lost = one.node._follower._running
    lost.stop()
    until(("allowed", True), lambda: (one.says(printed), one.node._follower._running.alive()))
    assert lost is not one.node._follower._running


def test_a_command_that_ends_leaves_a_replica_that_knows_when_it_was_level(places):
    node = Node.open(places[0])
    level = node.index.level()
    assert isinstance(node.verifier.freshness, FeedFreshness)
    assert 0 <= milliseconds() - level.wall < 60_000
    node.close()
    assert [] == followers()


def test_a_store_in_a_file_is_not_followed(place):
    node = Node.open(place[0])
    node.follow()
    assert [] == followers()
    assert isinstance(node.verifier.freshness, HomeFreshness)
    node.close()


def test_a_database_that_went_back_in_time_has_every_machine_rebuilt(places, opened, postgres_url):
    one, two = map(opened, places[:2])
    _, kept = one.key("datasets:read")
    until("allowed", two.says, kept)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        # As after a restore: the same position, with another mark.
        connection.execute("UPDATE feed SET mark = sha256('restored')")
        connection.execute("UPDATE changes SET mark = sha256('restored') WHERE position = (SELECT position FROM feed)")
    generation = two.node.index.now().generation
    until(generation + 1, lambda: two.node.index.now().generation)
    assert "allowed" == two.says(kept)
