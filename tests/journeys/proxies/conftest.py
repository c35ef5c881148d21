"""Each proxy, started once for all tests of a module: in front of an echo, asking a data plane whose keys are known."""

from typing import NamedTuple

import pytest

from scopekey.testing import Keys
from scopekey.wire.rules_file import read_rules
from tests.journeys.proxies.echo import YES, Echo, deciding, echoing
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
        yield Fronted(proxy, address, echo, gateway, keys)


class Agreed(NamedTuple):
    """A proxy whose every question is answered with yes: what was asked, and what was then served."""

    proxy: str
    address: tuple[str, int]
    asked: Echo
    served: Echo


@pytest.fixture(scope="module")
def agreeing(proxy, tmp_path_factory):
    """The proxy between an echo that says yes to everything and one that serves."""
    with echoing() as (asked, gateway), echoing() as (served, api):
        asked.answer = YES
        with front(proxy, tmp_path_factory.mktemp(proxy), gateway=gateway, api=api) as address:
            yield Agreed(proxy, address, asked, served)


@pytest.fixture
def agreed(agreeing):
    """The same, with nothing seen yet."""
    agreeing.asked.seen.clear()
    agreeing.served.seen.clear()
    return agreeing


@pytest.fixture
def asked(fronted):
    """The same, with nothing seen yet."""
    fronted.echo.seen.clear()
    fronted.keys.events.clear()
    return fronted
