"""Use is added up, whoever adds it and in whatever order."""

from scopekey.store.usage import DayRow, UsageRow

FIRST = ({("key_a", "datasets:read", 1): [2, 10, 30, 0, None]}, {("key_a", "datasets:read", 5): [2, 0]})
SECOND = ({("key_a", "datasets:read", 1): [1, 5, 20, 3, 40]}, {("key_a", "datasets:read", 5): [1, 3]})
REFUSED = ({("key_a", "datasets:read", 1): [0, None, None, 1, 7]}, {("key_a", "datasets:read", 6): [0, 1]})


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

    def test_the_last_use_of_a_key_is_that_of_any_of_its_secrets(self, store):
        totals = {("key_a", "", 1): [1, 1, 10, 0, None], ("key_a", "", 2): [1, 1, 20, 0, None]}
        with store.writing() as tx:
            tx.usage.add(totals | {("key_b", "", 1): [0, None, None, 1, 5]}, {})
        with store.reading() as tx:
            assert {"key_a": 20} == tx.usage.last_used(["key_a", "key_b", "key_c"])

    def test_adding_nothing_changes_nothing(self, store):
        with store.writing() as tx:
            tx.usage.add({}, {})
        with store.reading() as tx:
            assert [] == tx.usage.of("key_a")
