"""Until when all that was written is handed over: never said too early, and said again soon after."""

import time

import pytest

from scopekey.replica.batch import NotTakenError
from scopekey.replica.carrier import LOCK, Carrier
from scopekey.replica.clock import milliseconds
from scopekey.replica.handed_over import handed_over_until
from tests.replica.journals import NODE, Ledger, event, journal_in


def until(true, within=5.0):
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.002)


@pytest.fixture
def away():
    """Whether the control plane is."""
    return []


@pytest.fixture
def folder(tmp_path, away):
    """A journal's folder that is carried."""
    ledger = Ledger()

    def take(encoded):
        if away:
            raise NotTakenError(0.01)
        return ledger(encoded)

    carrier = Carrier(tmp_path, take, node=lambda: NODE)
    carrier.start()
    yield tmp_path
    away.clear()
    carrier.stop(1.0)


def test_where_nobody_carried_nothing_is_known(tmp_path):
    assert handed_over_until(tmp_path / LOCK) is None


def test_what_is_handed_over_is_told_as_of_before_it_was_looked(folder):
    journal = journal_in(folder)
    journal.append(event())
    journal.close()
    written = milliseconds()
    until(lambda: (handed_over_until(folder / LOCK) or 0) > written)
    assert handed_over_until(folder / LOCK) <= milliseconds()


def test_while_something_is_left_the_moment_stays_before_it(folder, away):
    until((folder / LOCK).exists)
    time.sleep(0.6)
    away.append(True)
    before = milliseconds()
    journal = journal_in(folder)
    journal.append(event())
    journal.close()
    written = milliseconds()
    until(lambda: milliseconds() > written + 1_200)
    assert before - 2_000 < handed_over_until(folder / LOCK) <= written
    away.clear()
    until(lambda: handed_over_until(folder / LOCK) > written)
