"""Each proxy, started once for all tests of a module: in front of an echo, asking a data plane whose keys are known."""

import pytest

from scopekey.testing import Keys
from scopekey.wire.rules_file import read_rules
from tests.journeys.proxies.echo import deciding, echoing
from tests.journeys.proxies.fronting import PROXIES, front, needed
from tests.journeys.proxies.raw import Fronted

RULES = """
[[rule]]
operation = "GET /datasets/{id}"
requires = "datasets:read"
[[rule]]
operation = "POST /datasets"
requires = "datasets:write"
[[rule]]
operation = "GET /open"
public = true
[[rule]]
operation = "GET /reported"
requires = "datasets:write"
mode = "report"
"""
DAY = 86_400_000


def known() -> Keys:
    """Keys that were written down here, and the rules of the API."""
    keys = Keys("datasets:read", "datasets:write")
    keys.apply_rules(read_rules(RULES, "rules.toml", keys.register.catalog))
    return keys


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request):
    """The name of a proxy that is installed."""
    needed(request.param)
    return request.param


@pytest.fixture(scope="module")
def fronted(proxy, tmp_path_factory):
    """The proxy in front of an echo."""
    keys = known()
    with (
        echoing() as (echo, api),
        deciding(keys) as gateway,
        front(proxy, tmp_path_factory.mktemp(proxy), gateway=gateway, api=api) as address,
    ):
        yield Fronted(proxy, address, echo, keys)


@pytest.fixture
def asked(fronted):
    """The same, with nothing seen yet."""
    fronted.echo.seen.clear()
    fronted.keys.events.clear()
    return fronted
