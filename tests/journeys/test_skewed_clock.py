"""Promise: whatever somebody sets the clock to, a gateway that hears nothing answers no longer than REFUSE_AFTER."""

import os
import time
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.journeys.cutter import Cutter
from tests.journeys.hammer import Line
from tests.journeys.planes import Deployment, check, is_stale, until
from tests.journeys.serving import gateway, serve

pytestmark = pytest.mark.journey
SKEWED = Path(__file__).parent / "skewed"
REFUSE_AFTER = 1.0
A_LITTLE = 0.1
"""Seconds: whole milliseconds are counted, and the question takes a moment."""
HOUR = 3_600


class Clock:
    """The wall clock of the processes that are started with its settings."""

    def __init__(self, folder):
        self._file = folder / "skew"
        self.set(0)

    def set(self, seconds):
        self._write(f"add {seconds}")

    def stand_still(self, since):
        self._write(f"still {since}")

    def _write(self, text):
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self._file)

    def settings(self):
        path = os.pathsep.join(filter(None, [str(SKEWED), os.environ.get("PYTHONPATH")]))
        return {"PYTHONPATH": path, "SKEW": str(self._file)}


@contextmanager
def cut_off(folder, **more):
    """A gateway whose clock and whose network can be set, as (clock, network, port, printed key)."""
    clock = Clock(folder)
    deployment = Deployment(folder)
    home = deployment.plane("gateway")
    settings = deployment.set_for(home, STALE_AFTER="1s", REFUSE_AFTER=f"{REFUSE_AFTER:.0f}s") | clock.settings()
    with (
        serve(deployment.home) as control,
        Cutter(control) as network,
        gateway(home, network.url, **settings, **more) as (port, _),
    ):
        printed = deployment.keys[0][1]
        until("allowed", check, port, printed)
        yield clock, network, port, printed


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One for all tests whose clocks are true in the end."""
    with cut_off(tmp_path_factory.mktemp("skewed")) as made:
        yield made


def allowed_too_late(port, printed, network, turn):
    """Cut the network and ask on, `turn` between two questions; gives the allows that came too late."""
    line = Line(port)
    network.hold()
    cut = time.monotonic()
    answers = []
    while time.monotonic() < cut + REFUSE_AFTER + 1:
        turn(cut)
        answers += line.ask(printed)
    line.close()
    return [answer for answer in answers if answer.code == "allowed" and answer.asked > cut + REFUSE_AFTER + A_LITTLE]


TO_AND_FRO = cycle([0, HOUR, -HOUR, 0.5, -0.5, 24 * HOUR, -24 * HOUR])
TURNS = {
    "to and fro": lambda clock, cut: clock.set(next(TO_AND_FRO)),
    "back": lambda clock, cut: clock.set(-HOUR),
    "still": lambda clock, cut: clock.stand_still(cut),
}


@pytest.mark.parametrize("turn", TURNS)
def test_a_gateway_that_is_cut_off_refuses_in_time_whatever_its_clock_is_set_to(one, turn):
    clock, network, port, printed = one
    until("allowed", check, port, printed)
    assert [] == allowed_too_late(port, printed, network, lambda cut: TURNS[turn](clock, cut))
    clock.set(0)
    network.go_on()
    network.cut()
    until("allowed", check, port, printed)


def test_the_journey_notices_when_every_clock_stands(tmp_path):
    """The control: with the clock of the boot standing still too, nothing can know how much time went by."""
    with cut_off(tmp_path, SKEW_ALL="1") as (clock, network, port, printed):
        assert [] != allowed_too_late(port, printed, network, clock.stand_still)


def test_a_healthy_gateway_recovers_by_the_next_heartbeats_from_a_clock_that_was_set(one):
    clock, _, port, printed = one
    for shift in (HOUR, 0, -HOUR, 0):
        clock.set(shift)
        until(False, is_stale, port, within=4)
        until("allowed", check, port, printed, within=4)
