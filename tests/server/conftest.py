"""A deployment under a real server, begun once and copied for each test that asks for one."""

import shutil

import pytest

from scopekey.server.beginning import begin
from scopekey.server.node import Node
from tests.server.running import DATA, OWN, Api, Deployment, serving, settings


@pytest.fixture(scope="session")
def begun(tmp_path_factory):
    """The folder of a home that was just begun, to be copied, and its first key."""
    folder = tmp_path_factory.mktemp("begun")
    return folder, begin(settings(folder))


@pytest.fixture
def place(begun, tmp_path):
    """This test's own copy of the begun home: its settings and its first key."""
    folder, operator = begun
    shutil.copytree(folder, tmp_path / "copy")
    return settings(tmp_path / "copy"), operator


@pytest.fixture
def deployment(place):
    """A node on a begun home. A locked database is given up on after a tenth of a second."""
    node = Node.open(place[0], lock_timeout=100)
    yield Deployment(node, place[1])
    node.close()


@pytest.fixture
def url(deployment):
    """The address of the running process."""
    with serving(deployment.app) as url:
        yield url


@pytest.fixture
def api(url):
    """HTTP calls with a key, or with none."""
    made = []

    def api(secret=None):
        made.append(Api(url, secret))
        return made[-1]

    yield api
    for one in made:
        one.http.close()


@pytest.fixture
def operator(api, deployment):
    """HTTP calls with the first key, which holds everything."""
    return api(deployment.operator)


@pytest.fixture
def tenant(deployment):
    """An organization."""
    return deployment.tenant()


@pytest.fixture
def admin(api, deployment, tenant):
    """HTTP calls with the key of a tenant's administrator."""
    return api(deployment.key(*OWN, *DATA, organization=tenant)[1])
