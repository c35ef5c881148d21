"""What entries say of use, as rows of a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.audit.entry import Entry
from scopekey.insight.use import DAY, fold

KEY = "key_AAAAAAAAAAAA"


def entry(**members):
    usual = {"kind": "decision", "key": KEY, "secret": 1, "at": 5 * DAY + 7}
    return Entry(nonce="0" * 32, **{**usual, **members})


ALLOWED = entry(allowed=True, used=["datasets:read", "queries:read"])
REFUSED = entry(allowed=False, code="missing_permission", missing=["jobs:write"])


@pytest.mark.parametrize(
    ("entries", "totals", "days"),
    [
        (
            [ALLOWED],
            {name: [1, 5 * DAY + 7, 5 * DAY + 7, 0, None] for name in ("", "datasets:read", "queries:read")},
            {name: [1, 0] for name in ("", "datasets:read", "queries:read")},
        ),
        (
            [REFUSED],
            {name: [0, None, None, 1, 5 * DAY + 7] for name in ("", "jobs:write")},
            {name: [0, 1] for name in ("", "jobs:write")},
        ),
        (
            [entry(allowed=False, code="missing_permission", missing=["jobs:write"], report=True)],
            {"": [1, 5 * DAY + 7, 5 * DAY + 7, 0, None], "jobs:write": [0, None, None, 1, 5 * DAY + 7]},
            {"": [1, 0], "jobs:write": [0, 1]},
        ),
        (
            [entry(kind="reads", allowed=True, used=["datasets:read"], count=41, first=5 * DAY)],
            {name: [41, 5 * DAY, 5 * DAY + 7, 0, None] for name in ("", "datasets:read")},
            {name: [41, 0] for name in ("", "datasets:read")},
        ),
        (
            [entry(allowed=True), entry(allowed=False, code="expired_key", at=5 * DAY + 9)],
            {"": [1, 5 * DAY + 7, 5 * DAY + 7, 1, 5 * DAY + 9]},
            {"": [1, 1]},
        ),
        ([entry(kind="change", action="key.edit", allowed=None)], {}, {}),
        ([entry(kind="refusals", key=None, allowed=False, code="unknown_key", count=9)], {}, {}),
    ],
    ids=["allowed", "refused", "forgiven", "counted reads", "any live key", "a change", "nobody's refusals"],
)
def test_an_entry_adds(entries, totals, days):
    found = fold(entries)
    assert {(KEY, name, 1): total for name, total in totals.items()} == found.totals
    assert {(KEY, name, 5): count for name, count in days.items()} == found.days


def test_days_secrets_and_keys_are_kept_apart():
    found = fold([ALLOWED, entry(allowed=True, at=0), entry(allowed=True, secret=2), entry(allowed=True, key="key_B")])
    assert {(KEY, "", 1), (KEY, "", 2), ("key_B", "", 1)} <= found.totals.keys()
    assert [2, 0, 5 * DAY + 7, 0, None] == found.totals[KEY, "", 1]
    assert {(KEY, "", 0): [1, 0], (KEY, "", 5): [2, 0]} == {
        place: count for place, count in found.days.items() if place[:2] == (KEY, "")
    }


ENTRIES = st.lists(
    st.builds(
        lambda at, allowed, used, secret: entry(
            at=at, allowed=allowed, secret=secret, used=used if allowed else None, missing=None if allowed else used
        ),
        st.integers(0, 3 * DAY),
        st.booleans(),
        st.lists(st.sampled_from(["a:read", "b:read"]), max_size=2, unique=True),
        st.integers(1, 2),
    ),
    max_size=12,
)


@given(ENTRIES)
def test_the_order_of_entries_does_not_matter(entries):
    assert fold(entries) == fold(entries[::-1])


@given(ENTRIES)
def test_each_total_is_the_sum_of_its_days(entries):
    found = fold(entries)
    for at in (0, 1):
        total, count = (0, 3)[at], at
        assert sum(one[total] for one in found.totals.values()) == sum(one[count] for one in found.days.values())
