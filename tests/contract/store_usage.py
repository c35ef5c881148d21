"""Use is added up, whoever adds it and in whatever order."""

import random

from scopekey.audit.entry import Entry
from scopekey.insight.use import DAY, fold
from scopekey.store.keys import KeyFilter
from scopekey.store.usage import DayRow, UsageRow
from tests.contract.store_made import add_key, key_row, list_names

FIRST = ({("key_a", "datasets:read", 1): [2, 10, 30, 0, None]}, {("key_a", "datasets:read", 5): [2, 0]})
SECOND = ({("key_a", "datasets:read", 1): [1, 5, 20, 3, 40]}, {("key_a", "datasets:read", 5): [1, 3]})
REFUSED = ({("key_a", "datasets:read", 1): [0, None, None, 1, 7]}, {("key_a", "datasets:read", 6): [0, 1]})


def decided(chance):
    """Any decision about one of a few keys."""
    allowed = chance.random() < 0.6
    names = chance.sample(["a:read", "a:write", "b:read"], chance.randrange(3))
    return Entry(
        nonce="0" * 32,
        at=chance.randrange(3 * DAY),
        kind="decision",
        key=chance.choice(["key_a", "key_b"]),
        secret=chance.choice([1, 2, None]),
        allowed=allowed,
        used=names if allowed else None,
        missing=None if allowed else names,
        report=True if not allowed and chance.random() < 0.3 else None,
    )


class Use:
    """Totals and days."""

    def test_what_is_added_twice_is_the_sum_with_the_first_and_the_last_time(self, store):
        for adding in (FIRST, SECOND, REFUSED):
            with store.writing() as tx:
                tx.usage.add(*adding)
        with store.reading() as tx:
            assert [UsageRow("key_a", "datasets:read", 1, 3, 5, 30, 4, 40)] == tx.usage.of("key_a")
            assert [DayRow("key_a", "datasets:read", 5, 3, 3), DayRow("key_a", "datasets:read", 6, 0, 1)] == (
                tx.usage.days("key_a", 0)
            )
            assert [6] == [row.day for row in tx.usage.days("key_a", 6)]

    def test_a_permission_that_was_only_refused_has_no_time_of_use_until_it_is_used(self, store):
        with store.writing() as tx:
            tx.usage.add(*REFUSED)
        with store.reading() as tx:
            assert [(None, None)] == [(row.first_used, row.last_used) for row in tx.usage.of("key_a")]
        with store.writing() as tx:
            tx.usage.add(*FIRST)
        with store.reading() as tx:
            assert [(10, 30)] == [(row.first_used, row.last_used) for row in tx.usage.of("key_a")]

    def test_what_is_folded_apart_adds_up_to_what_is_folded_together(self, store):
        chance = random.Random(6)
        entries = [decided(chance) for _ in range(300)]
        parts = list(entries)
        while parts:
            size = chance.randrange(1, 60)
            with store.writing() as tx:
                tx.usage.add(*fold(parts[:size]))
            parts = parts[size:]
        whole = fold(entries)
        with store.reading() as tx:
            totals = [row for key in ("key_a", "key_b") for row in tx.usage.of(key)]
            days = [row for key in ("key_a", "key_b") for row in tx.usage.days(key, 0)]
        assert [UsageRow(*at, *total) for at, total in sorted(whole.totals.items())] == totals
        assert [DayRow(*at, *count) for at, count in sorted(whole.days.items())] == days

    def test_the_last_use_of_a_key_is_that_of_any_of_its_secrets(self, store):
        for number, name in enumerate("abc"):
            add_key(store, name, 3 + number)
        used, refused = key_row("a").key.id, key_row("b").key.id
        totals = {(used, "", 1): [1, 1, 10, 0, None], (used, "", 2): [1, 1, 20, 0, None]}
        with store.writing() as tx:
            tx.usage.add(totals | {(used, "datasets:read", 1): [1, 99, 99, 0, None]}, {})
            tx.usage.add({(refused, "", 1): [0, None, None, 1, 5]}, {})
            assert 20 == tx.keys.get(used, lock=True).last_used
        with store.reading() as tx:
            assert [20, None, None] == [row.last_used for row in tx.keys.page(KeyFilter(now=1_000), None, 9)]

    def test_unused_keys_are_those_made_before_a_moment_and_not_used_since(self, store):
        for number, (name, created) in enumerate([("used", 10), ("idle", 10), ("refused", 10), ("young", 50)]):
            add_key(store, name, 3 + number, created=created)
        totals = {(key_row("used").key.id, "", 1): [1, 20, 40, 0, None]}
        with store.writing() as tx:
            tx.usage.add(totals | {(key_row("refused").key.id, "", 1): [0, None, None, 1, 45]}, {})
        assert {"idle", "refused"} == set(list_names(store, unused_since=40))
        assert {"idle", "refused", "used"} == set(list_names(store, unused_since=41))
        assert {"idle", "refused", "used"} == set(list_names(store, unused_since=50))
        assert {"idle", "refused", "used", "young"} == set(list_names(store, unused_since=51))
        assert [] == list_names(store, unused_since=10)

    def test_adding_nothing_changes_nothing(self, store):
        with store.writing() as tx:
            tx.usage.add({}, {})
        with store.reading() as tx:
            assert [] == tx.usage.of("key_a")
