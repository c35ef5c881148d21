"""Promise: whatever fails beneath the log, nothing is allowed unrecorded, nothing is lost, and it goes on by itself."""

import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from scopekey.replica import journal_group
from scopekey.store import migrate
from scopekey.store.engine import Store
from tests.journeys.audit_folders import small_disk
from tests.journeys.audit_load import Load
from tests.journeys.audit_outcome import look, settle
from tests.journeys.planes import Deployment
from tests.journeys.serving import free_port, gateway, running, serve

pytestmark = pytest.mark.journey
STRICT = {"SCOPEKEY_JOURNAL": "strict"}
AT_ONCE = 2.0
"""Seconds within which who must wait is refused: 0.25, and a machine that does other things besides."""
MOMENT = 0.6
MORE_THAN_FITS = 900
"""Decisions that take more than the 256 KiB of a small disk."""
HOUR = 20_000
"""Decisions of an hour in which nobody is in a hurry."""


def until(true, within=30.0):
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def told(load, seconds=MOMENT):
    """What is answered from now on, for so many seconds."""
    load.forget()
    time.sleep(seconds)
    return {code for code, times in load.told.items() if times}


def there_once(settings, load):
    outcome = look(settings, load.acknowledged)
    assert outcome.holds, (outcome.missing[:5], outcome.twice[:5], outcome.verdict)
    assert 100 < outcome.acknowledged
    return True


def keys_of(deployment):
    """Keys that are allowed, and one that lacks the permission."""
    return [*(secret for _, secret in deployment.keys), deployment.feed_key]


class Management:
    """Somebody who issues keys."""

    def __init__(self, port, operator):
        self._url = f"http://127.0.0.1:{port}/v1/keys"
        self._with = {"headers": {"Authorization": f"Bearer {operator}"}, "trust_env": False, "timeout": 20}

    def issue(self, name):
        """Issue a key; gives 201, or the code of the refusal."""
        answer = httpx.post(self._url, json={"name": name, "permissions": ["datasets:read"]}, **self._with)
        return 201 if answer.status_code == 201 else (answer.status_code, answer.json()["code"])

    def names(self):
        return {key["name"] for key in httpx.get(self._url, **self._with).json()["items"]}


class Limited:
    """A role of a database that may do what a server needs, and may be forbidden to write into a table."""

    def __init__(self, url):
        self._url = url
        self.url = url.replace("postgres:@", "log_limited:@")
        self._run(
            "CREATE ROLE log_limited LOGIN",
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO log_limited",
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO log_limited",
        )

    def revoke(self, table):
        self._run(f"REVOKE INSERT ON {table} FROM log_limited")

    def grant(self, table):
        self._run(f"GRANT INSERT ON {table} TO log_limited")

    def drop(self):
        self._run("DROP OWNED BY log_limited", "DROP ROLE log_limited")

    def _run(self, *statements):
        with psycopg.connect(self._url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def limited(postgres_url):
    migrate.upgrade(postgres_url)
    role = Limited(postgres_url)
    yield role
    role.drop()


@contextmanager
def log_of(settings):
    store = Store.open(settings.store_url)

    def ask(what):
        with store.reading() as tx:
            return tx.log.state().size if what == "size" else tx.log.waiting()

    try:
        yield ask
    finally:
        store.close()


@pytest.mark.postgres
def test_a_log_that_may_not_be_written_stops_changes_and_not_checks(tmp_path, postgres_url, limited):
    deployment = Deployment(tmp_path, keys=2, database_url=postgres_url)
    settings = deployment.settings
    with (
        serve(deployment.home, SCOPEKEY_DATABASE_URL=limited.url, **STRICT) as port,
        log_of(settings) as log,
        Load(port, keys_of(deployment), connections=2) as load,
    ):
        management = Management(port, deployment.operator)
        load.wait_for("allowed", 50)
        # Nothing arrives: no change is made, checks are answered, and what they record waits in its files.
        limited.revoke("arrivals")
        assert (503, "unavailable") == management.issue("Never")
        until(lambda: log("waiting") == 0)
        size = log("size")
        assert {"allowed", "missing_permission"} == told(load)
        assert (0, size) == (log("waiting"), log("size"))
        assert {"Never"}.isdisjoint(management.names())
        limited.grant("arrivals")
        until(lambda: log("size") > size + 50)
        assert 201 == management.issue("First")
        # Nothing is sealed: what arrives waits, changes included.
        limited.revoke("entries")
        time.sleep(MOMENT)
        size = log("size")
        assert 201 == management.issue("Second")
        assert {"allowed", "missing_permission"} == told(load)
        assert size == log("size")
        assert 0 < log("waiting")
        limited.grant("entries")
        until(lambda: log("size") > size + 50)
        assert {"First", "Second"} <= management.names()
    assert there_once(settings, load)


def test_a_disk_that_is_read_only_or_full_refuses_who_must_wait_and_goes_on_by_itself(tmp_path):
    deployment = Deployment(tmp_path, keys=2)
    with small_disk(deployment.settings.journal_path) as disk:
        disk.forbid(writing=True)
        with (
            serve(deployment.home, workers=2, **STRICT) as port,
            Load(port, keys_of(deployment)) as load,
        ):
            load.wait_for("journal_unavailable")
            assert {"journal_unavailable"} == told(load)
            assert load.slowest < AT_ONCE
            assert [] == load.acknowledged
            disk.forbid(writing=False)
            # Whole files are taken over and removed meanwhile: the disk is too small for all of them.
            load.wait_for("allowed", MORE_THAN_FITS)
            disk.fill()
            # What is taken over makes room for some more, and that is filled too.
            until(lambda: disk.fill() or told(load) == {"journal_unavailable"}, within=60)
            assert load.slowest < AT_ONCE
            disk.free()
            load.wait_for("allowed", 100)
        settle(deployment.settings)
        assert there_once(deployment.settings, load)


def test_a_disk_that_takes_five_seconds_refuses_who_must_wait_and_not_the_others(tmp_path):
    deployment = Deployment(tmp_path, keys=2)
    slow, port = tmp_path / "slow", free_port()
    command = [sys.executable, "-m", "uvicorn", "slowly:create_app", "--factory", "--log-level", "warning"]
    with (
        running([*command, "--port", str(port)], deployment.home, port, SLOW=str(slow), **STRICT),
        Load(port, keys_of(deployment)) as load,
    ):
        load.wait_for("allowed", 100)
        slow.touch()
        load.wait_for("journal_unavailable")
        assert {"journal_unavailable"} == told(load)
        assert load.slowest < AT_ONCE
        slow.unlink()
        load.wait_for("allowed", 100)
        assert {"allowed", "missing_permission"} == told(load)
    settle(deployment.settings)
    assert there_once(deployment.settings, load)


def test_a_decision_is_waited_for_no_longer_than_is_promised():
    """The journeys above are lenient, for a machine that does other things besides; this is what they stand on."""
    assert 0.25 == journal_group.PATIENCE


def memory(pid):
    """How many MiB of a process were ever in memory, over itself and all it has started."""
    with suppress(OSError):
        told = Path(f"/proc/{pid}/status").read_text()
        own = int(told.partition("VmHWM:")[2].split()[0]) / 1024
        return own + sum(map(memory, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return 0.0


@pytest.mark.timeout(240)
def test_an_hour_of_decisions_without_a_control_plane_is_handed_over_once_it_is_back(tmp_path):
    deployment = Deployment(tmp_path, keys=2)
    settings, home, port = deployment.settings, deployment.plane("gateway"), free_port()
    files = home / "journal"
    more = deployment.set_for(home, REFUSE_AFTER="2h")
    with serve(deployment.home, port=port):
        begun = gateway(home, f"http://127.0.0.1:{port}", workers=2, **more)
        asked, process = begun.__enter__()
    try:
        with Load(asked, keys_of(deployment), connections=4, pipelined=25) as load:
            load.wait_for("allowed", 200)
            before = memory(process.pid)
            until(lambda: len(load.acknowledged) > HOUR, within=60)
        assert {"allowed", "missing_permission"} == set(load.told)
        waiting = sum(file.stat().st_size for file in files.glob("*.journal"))
        # On the disk, and not in memory.
        assert 100 * HOUR < waiting
        assert memory(process.pid) < before + 60
        with serve(deployment.home, port=port), log_of(settings) as log:
            until(lambda: log("size") > len(load.acknowledged), within=60)
            begun.__exit__(None, None, None)
            begun = None
            assert [] == list(files.glob("*.journal"))
    finally:
        if begun is not None:
            begun.__exit__(*sys.exc_info())
    settle(settings)
    assert there_once(settings, load)
