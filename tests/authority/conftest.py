"""An initialised control plane, on a SQLite file, and for the tests that ask for it on PostgreSQL too."""

import shutil

import pytest

from scopekey.replica.memory_index import MemoryIndex
from scopekey.store import migrate
from scopekey.store.engine import Store
from tests.authority.home import Home


@pytest.fixture(scope="session")
def begun(tmp_path_factory):
    """The file of an initialised store, to be copied."""
    path = tmp_path_factory.mktemp("begun") / "scopekey.db"
    store = Store.open(f"sqlite:///{path}")
    Home(store, MemoryIndex(), seed=1).begin()
    store.close()
    return path


@pytest.fixture
def path(begun, tmp_path):
    """The file of this test's store."""
    return shutil.copy(begun, tmp_path / "scopekey.db")


@pytest.fixture
def home(path):
    """A home on SQLite."""
    store = Store.open(f"sqlite:///{path}")
    home = Home(store, MemoryIndex())
    home.catch_up()
    yield home
    store.close()


@pytest.fixture
def empty(tmp_path):
    """A home whose store was never initialised."""
    store = Store.open(f"sqlite:///{tmp_path / 'empty.db'}")
    yield Home(store, MemoryIndex())
    store.close()


@pytest.fixture
def postgres_home(request):
    """A home on PostgreSQL."""
    url = request.getfixturevalue("postgres_url")
    migrate.upgrade(url)
    store = Store.open(url)
    home = Home(store, MemoryIndex())
    home.begin()
    yield home
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request):
    """A home on SQLite, and one on PostgreSQL."""
    return request.getfixturevalue("home" if request.param == "sqlite" else "postgres_home")
