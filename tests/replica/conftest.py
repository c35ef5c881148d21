"""One replica in the test's own folder."""

import pytest

from scopekey.replica.lmdb_index import LmdbIndex
from tests.replica.beside import programs


@pytest.fixture
def index(tmp_path):
    index = LmdbIndex(tmp_path / "replica")
    yield index
    index.close()


@pytest.fixture
def other(tmp_path):
    """Start programs over the same index in processes of their own."""
    with programs(tmp_path / "replica") as start:
        yield start
