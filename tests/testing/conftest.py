"""The plugin is tried in test runs of its own."""

from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester):
    """Run pytest in the test's folder, with the plugin whether this installation registers it or not."""
    registered = entry_points(group="pytest11", name="scopekey")
    plugin = () if registered else ("-p", "scopekey.testing.plugin")

    def running(*arguments, how=pytester.runpytest_inprocess):
        return how(*plugin, "-W", "error", "-p", "no:cacheprovider", *arguments)

    return running
