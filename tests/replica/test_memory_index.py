"""The dictionary keeps the contract of an index."""

import pytest

from scopekey.replica.memory_index import MemoryIndex
from tests.contract.index import IndexContract


@pytest.fixture
def index():
    return MemoryIndex()


class TestMemoryIndex(IndexContract):
    pass
