"""Entries are looked for as people ask: categories in words, moments as they are written."""

import pytest

from scopekey.authority.actor import Caller
from scopekey.authority.audit_search import AHEAD, LogQuery, search_log
from scopekey.core.problem import ProblemError
from tests.authority.home import NOW, refused
from tests.contract.sealed import KEY, decision, seal_entries

CATEGORIES = [
    ("write", [1]),
    ("Core Data", [0]),
    ("write Data", [1]),
    ("read Data", [2]),
    ("Data", [1, 2]),
    ("write Core Data", []),
    ("nothing", []),
]


def look(home, caller=None, **asked):
    page = search_log(home.authority, caller or home.machine, LogQuery(**asked))
    return [int(item.entry["request_id"].removeprefix("req_")) for item in page.items if "request_id" in item.entry]


def test_a_category_is_a_level_a_group_or_both(home):
    seal_entries(
        home.store,
        decision(0),
        decision(1, intended=[["write", "Data"]]),
        decision(2, intended=[["read", "Data"], ["read", "Jobs"]]),
    )
    assert CATEGORIES == [(category, look(home, category=category, order="oldest")) for category, _ in CATEGORIES]


def test_moments_are_times_or_how_long_ago(home):
    seal_entries(home.store, *(decision(number, at=NOW - number * 1_000) for number in range(5)), now=NOW)
    table = [
        ({"since": "2s"}, [2, 1, 0]),
        ({"since": "2027-01-15T07:59:58Z"}, [2, 1, 0]),
        ({"since": "2027-01-15T08:59:58.000+01:00"}, [2, 1, 0]),
        ({"until": "2s"}, [4, 3]),
        ({"since": "PT4S", "until": "1s"}, [4, 3, 2]),
    ]
    for asked, expected in table:
        assert expected == look(home, **asked, key=KEY), asked


def test_since_does_not_miss_what_came_late_or_from_a_clock_ahead(home):
    seal_entries(home.store, decision(1, at=NOW - AHEAD), now=NOW - 2 * AHEAD)
    seal_entries(home.store, decision(2, at=NOW - 9 * AHEAD), decision(3, at=NOW), now=NOW)
    assert [3, 1] == look(home, since=f"{AHEAD}ms", key=KEY)


def test_what_was_sealed_long_before_is_not_looked_at_again(home, monkeypatch):
    seal_entries(home.store, *map(decision, range(30)), now=NOW - 2 * AHEAD - 1)
    seal_entries(home.store, decision(30, at=NOW), now=NOW)
    page = search_log(home.authority, home.machine, LogQuery(since="1s", key=KEY))
    assert (1, None) == (len(page.items), page.next)
    assert page.through >= 30


@pytest.mark.parametrize("asked", [{"since": "soon"}, {"permission": "x"}, {"decision": "no"}, {"cursor": "?"}])
def test_what_cannot_be_looked_for_is_refused_with_its_field(home, asked):
    with refused("invalid_request", field=next(iter(asked))):
        look(home, **asked)


def test_a_key_that_may_not_read_the_log_is_refused(home):
    with refused("missing_permission"):
        look(home, caller=home.caller("scopekey_keys:read"))
    with pytest.raises(ProblemError):
        look(home, caller=Caller("key", "key_000000000000"))


def test_of_a_log_that_is_empty_nothing_was_looked_at(home):
    page = search_log(home.authority, home.machine, LogQuery(order="oldest"))
    assert ([], None, -1) == (page.items, page.next, page.through)
