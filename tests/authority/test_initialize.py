"""The first act: everything at once, and only once."""

import pytest

from scopekey.authority.initialize import AlreadyInitialisedError
from scopekey.wire.changes import catalog_digest
from tests.authority.home import CATALOG, Home


def test_the_first_key_opens_everything_and_never_ends(empty):
    printed = empty.begin()
    empty.now += 2_000_000_000_000
    register = empty.index.register()
    assert {"allowed"} == {empty.check(printed, permission) for permission in register.bits}


def test_a_beginning_is_four_changes_with_their_entries(empty):
    empty.begin()
    entries = [found.entry for found in reversed(empty.entries())]
    assert [(1, "catalog.apply"), (2, "rules.apply"), (3, "organization.create"), (4, "key.issue")] == [
        (entry.position, entry.action) for entry in entries
    ]
    assert ({"machine"}, 4, {"digest": catalog_digest(CATALOG)}) == (
        {entry.actor.kind for entry in entries},
        empty.index.place().position,
        entries[0].after,
    )


def test_a_store_is_initialised_once(home):
    place = home.index.place()
    with pytest.raises(AlreadyInitialisedError):
        home.begin()
    assert (place, place.position) == (home.catch_up(), home.position())


def test_two_beginnings_have_two_feeds(empty, home):
    Home(empty.store, empty.index, seed=8).begin()
    assert empty.index.place().feed_id != home.index.place().feed_id
