"""One replica, or one journal, in the test's own folder."""

import pytest

from scopekey.replica.carrier import Carrier
from scopekey.replica.lmdb_index import LmdbIndex
from tests.replica.beside import programs
from tests.replica.journals import NODE, Ledger


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


@pytest.fixture
def folder(tmp_path):
    """Where a journal is."""
    return tmp_path / "journal"


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def carrier_to(folder):
    made = []

    def make(take, **options):
        made.append(Carrier(folder, take, node=lambda: NODE, jitter=lambda: -0.9, **options))
        return made[-1]

    yield make
    for carrier in made:
        carrier.stop(0.1)
