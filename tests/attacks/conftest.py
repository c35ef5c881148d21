"""Measures each front once, and prints the table of attacks at the end."""

import pytest

from tests.attacks.measure import Measured, measure
from tests.attacks.table import terminal

MEASURED = pytest.StashKey[dict[str, Measured]]()


def pytest_addoption(parser):
    parser.addoption(
        "--write-doors", action="store_true", help="write the table of attacks into docs/internals/doors.md"
    )


def pytest_configure(config):
    config.stash[MEASURED] = {}


@pytest.fixture(scope="session")
def all_measured(request):
    """What was measured so far, by the front's name."""
    return request.config.stash[MEASURED]


@pytest.fixture(scope="module")
def measured(request, all_measured, tmp_path_factory):
    """A front, with every case tried on it."""
    front = request.param
    if front.name not in all_measured:
        all_measured[front.name] = measure(front, tmp_path_factory.mktemp("front"))
    return all_measured[front.name]


def pytest_terminal_summary(terminalreporter, config):
    found = list(config.stash[MEASURED].values())
    if found:
        terminalreporter.section("under attack")
        for line in terminal(found):
            terminalreporter.write_line(line)
