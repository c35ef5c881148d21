"""What every database must do for a store: run by tests/store on SQLite and on PostgreSQL.

A class that inherits this gives two fixtures: `url`, of a new database with its tables, and
`another_url`, of one without. `upgrade_older` is how a database of an older version is brought up.
"""

import pytest

from scopekey.store.engine import Store
from tests.contract.store_database import Databases
from tests.contract.store_feed import Feed
from tests.contract.store_lists import Lists
from tests.contract.store_log import LogRead
from tests.contract.store_made import ACME, OTHER, announce
from tests.contract.store_rows import Rows
from tests.contract.store_usage import Use


class StoreContract(Rows, Lists, Feed, Use, LogRead, Databases):
    """All of it."""

    @pytest.fixture
    def store(self, url):
        """A store with a feed and two organizations: positions 1 and 2."""
        store = Store.open(url)
        with store.writing() as tx:
            tx.meta.set("feed_id", "feed-one")
            tx.organizations.insert(ACME, 10)
            tx.organizations.insert(OTHER, 10)
            announce(tx, ("organization", ACME.id), ("organization", OTHER.id), first_mark=1)
        yield store
        store.close()

    @pytest.fixture
    def impatient(self, url, store):
        """The same database as another process sees it, which waits for a lock no longer than 50 ms."""
        another = Store.open(url, lock_timeout=50)
        yield another
        another.close()
