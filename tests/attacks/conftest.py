"""Measures each front once, and prints the table of attacks at the end."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.attacks.measure import Measured, measure
from tests.attacks.table import terminal

MEASURED = pytest.StashKey[dict[str, Measured]]()
AT_ONCE = 3
"""Fronts that are measured side by side: a part of the time is spent waiting for what does not come."""


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


@pytest.fixture(scope="session")
def measuring(request, tmp_path_factory):
    """The fronts that the selected tests are about, begun in their order."""
    chosen = {}
    for item in request.session.items:
        front = getattr(item, "callspec", None) and item.callspec.params.get("measured")
        if front is not None:
            chosen[front.name] = front
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun: dict[str, Future[Measured]] = {
            name: pool.submit(measure, front, tmp_path_factory.mktemp("front")) for name, front in chosen.items()
        }
        yield begun
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def measured(request, measuring, all_measured):
    """A front, with every case tried on it."""
    name = request.param.name
    all_measured[name] = measuring[name].result()
    return all_measured[name]


def pytest_terminal_summary(terminalreporter, config):
    found = list(config.stash[MEASURED].values())
    if found:
        terminalreporter.section("under attack")
        for line in terminal(found):
            terminalreporter.write_line(line)
