"""Promise: an older copy of the replica that is put back is noticed within about a second, and built anew."""

import shutil
import time

import pytest

from tests.journeys.cutter import Cutter
from tests.journeys.hammer import Hammer
from tests.journeys.planes import Deployment, check, follows, revoke, until
from tests.journeys.serving import gateway, serve

pytestmark = pytest.mark.journey
NOTICED = 2.5
"""Seconds: each process looks once a second, when it is asked something."""


@pytest.fixture
def deployment(tmp_path):
    return Deployment(tmp_path, keys=2)


def file_of(replica):
    return replica / (replica / "CURRENT").read_text().strip() / "data.mdb"


def in_place(older, replica):
    """What `cp` does: the file is cut and written again, under processes that have it mapped."""
    shutil.copyfile(file_of(older), file_of(replica))


def renamed(older, replica):
    """What most programs that restore do: another file under the same name."""
    fresh = file_of(replica).with_name("fresh")
    shutil.copyfile(file_of(older), fresh)
    fresh.replace(file_of(replica))


def whole(older, replica):
    """The whole folder, with the numbers that its processes share."""
    replica.rename(replica.with_name("newer"))
    shutil.copytree(older, replica)


def late(answers, moment):
    return [answer for answer in answers if answer.code == "allowed" and answer.asked > moment]


@pytest.mark.parametrize("put_back", [in_place, whole])
def test_a_gateway_that_is_cut_off_believes_no_older_copy_and_is_back_with_its_upstream(deployment, put_back):
    home = deployment.plane("gateway")
    replica = home / "replica"
    (first, printed), (_, other) = deployment.keys
    with (
        serve(deployment.home) as control,
        Cutter(control) as network,
        gateway(home, network.url, workers=2, **deployment.set_for(home)) as (port, _),
        Hammer([port], each=4) as hammer,
    ):
        until("allowed", check, port, printed)
        shutil.copytree(replica, deployment.folder / "older")
        revoke(control, deployment.operator, first)
        until("revoked_key", check, port, printed)
        network.refuse = True
        network.cut()
        until("away", follows, port)
        answers = hammer.ask_about(printed)
        hammer.wait_until(lambda told: len(told) > 100)
        put_back(deployment.folder / "older", replica)
        moment = time.monotonic()
        hammer.wait_until(lambda told: told[-1].asked > moment + NOTICED + 0.5)
        assert [] == late(answers, moment + NOTICED)
        network.refuse = False
        until("allowed", check, port, other, within=20)
        assert [] == late(hammer.answers, moment + NOTICED)
        assert "revoked_key" == check(port, printed)


def test_a_home_folder_mends_itself_from_its_store(deployment):
    replica = deployment.home / "replica"
    (first, printed), (_, other) = deployment.keys
    with serve(deployment.home, workers=2) as port, Hammer([port], each=4) as hammer:
        shutil.copytree(replica, deployment.folder / "older")
        revoke(port, deployment.operator, first)
        answers = hammer.ask_about(printed)
        hammer.wait_until(lambda told: len(told) > 100)
        in_place(deployment.folder / "older", replica)
        moment = time.monotonic()
        hammer.wait_until(lambda told: told[-1].asked > moment + NOTICED)
        assert [] == late(answers, moment + NOTICED)
        until("allowed", check, port, other, within=20)
        assert "revoked_key" == check(port, printed)


@pytest.mark.parametrize("name", ["", "control"])
def test_a_home_folder_whose_replica_is_lost_builds_it_anew_without_a_change(deployment, name):
    (first, printed), (_, other) = deployment.keys
    with serve(deployment.home, workers=2) as port, Hammer([port], each=4) as hammer:
        revoke(port, deployment.operator, first)
        hammer.ask_about(other)
        lost = deployment.home / "replica" / name
        if name:
            lost.unlink()
        else:
            shutil.rmtree(lost, ignore_errors=True)
        moment = time.monotonic()
        hammer.wait_until(lambda told: told and told[-1].asked > moment + NOTICED and told[-1].code == "allowed")
        assert "revoked_key" == check(port, printed)
        assert lost.exists(), "a process that had lost nothing would answer too"


def test_between_two_starts_a_home_folder_is_brought_level_before_it_answers(deployment):
    replica = deployment.home / "replica"
    (first, printed), (_, other) = deployment.keys
    with serve(deployment.home) as port:
        shutil.copytree(replica, deployment.folder / "older")
        revoke(port, deployment.operator, first)
    whole(deployment.folder / "older", replica)
    with serve(deployment.home) as port:
        assert ["revoked_key", "allowed"] == [check(port, key) for key in (printed, other)]


def test_between_two_starts_a_gateway_that_is_cut_off_does_not_believe_an_older_file(deployment):
    """A whole folder is believed as long as that says itself (tests/replica/test_damage.py): nobody can know better."""
    home = deployment.plane("gateway")
    replica = home / "replica"
    settings = deployment.set_for(home)
    first, printed = deployment.keys[0]
    with serve(deployment.home) as control, Cutter(control) as network:
        with gateway(home, network.url, **settings) as (port, _):
            until("allowed", check, port, printed)
            shutil.copytree(replica, deployment.folder / "older")
            revoke(control, deployment.operator, first)
            until("revoked_key", check, port, printed)
        network.refuse = True
        renamed(deployment.folder / "older", replica)
        with gateway(home, network.url, ready=False, **settings) as (port, _):
            assert "stale_replica" == check(port, printed)
            network.refuse = False
            assert {"stale_replica"} >= set(until("revoked_key", check, port, printed, within=20))
