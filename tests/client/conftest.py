"""Both clients, each test with both."""

import pytest

from tests.client.telling import Async, Sync, Told, telling


@pytest.fixture(scope="session")
def one_server():
    with telling() as server:
        yield server


@pytest.fixture
def server(one_server):
    """A server to be told what it answers; it has heard nothing yet."""
    one_server.tell(Told())
    return one_server


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def drive(request):
    """Makes clients of one kind, and closes them."""
    made = []

    def make(*words, **options):
        made.append(request.param(*words, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
