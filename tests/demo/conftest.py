"""The platform behind its real guard, with keys written down for a test."""

import pytest
from fastapi.testclient import TestClient

from scopekey.demo.limits import Limits
from scopekey.demo.platform import CATALOG, create_platform
from scopekey.testing import Keys
from scopekey.wire.catalog_file import read_catalog

EVERYTHING = [f"{resource}:{level}" for resource in ("datasets", "queries", "jobs") for level in ("read", "write")]


@pytest.fixture
def keys():
    return Keys(catalog=read_catalog(CATALOG.read_text("utf-8"), CATALOG.name))


@pytest.fixture
def client_of(keys):
    def client(app, *permissions):
        headers = {"Authorization": f"Bearer {keys.add(*permissions)}"} if permissions else {}
        return TestClient(app, headers=headers)

    return client


@pytest.fixture
def app(keys):
    return create_platform(keys)


@pytest.fixture
def anybody(app):
    """A caller without a key. The platform runs as long as this fixture."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def holding(app, anybody, client_of):
    """A caller whose key holds the named permissions."""

    def holding(*permissions):
        return client_of(app, *permissions)

    return holding


@pytest.fixture
def engineer(holding):
    """A caller who may do everything."""
    return holding(*EVERYTHING)


@pytest.fixture
def small_platform(keys, client_of):
    """A platform with room for little."""
    limits = Limits(upload_rows=10, workers=1, waiting_jobs=1, kept_jobs=3)
    with client_of(create_platform(keys, limits=limits), *EVERYTHING) as client:
        yield client


@pytest.fixture
def hasty_platform(keys, client_of):
    """A platform that gives a query one second and little memory."""
    limits = Limits(query_seconds=1.0, query_megabytes=64)
    with client_of(create_platform(keys, limits=limits), *EVERYTHING) as client:
        yield client
