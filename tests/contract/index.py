"""What every index does. A test module subclasses ``IndexContract`` and brings an ``index`` fixture."""

import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.change import Change
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.replica.freshness import Level
from scopekey.replica.index import NotNextError, Place

ORGANIZATION = Organization(OrganizationId("org_000000000001"), "One")
REGISTER = Register.first(Catalog("demo", (Resource("datasets", "Datasets", "Core", ("read", "write")),)))
RULES = Rules((Rule(Operation.parse("GET /open"), None),))


def key(number, **fields):
    """A key with a number for an id."""
    secret = Secret(bytes([number % 256]) * 32, PepperId("0a0b0c0d"))
    plain = Key(KeyId(f"key_{number:012}"), 1, ORGANIZATION.id, "live", (secret,), 1, 1_700_000_000_000)
    return msgspec.structs.replace(plain, **fields)


def change(position, state):
    """A change whose mark is its position."""
    return Change(position, mark(position), state)


def mark(position):
    """The mark of a position in these tests."""
    return position.to_bytes(16, "big")


def load(index, *states, position=1):
    """Load states as of a position."""
    with index.writing() as writer:
        writer.load(Place("feed", position, mark(position)), [change(position, state) for state in states])


def apply(index, *states):
    """Apply states as the next changes."""
    with index.writing() as writer:
        at = writer.place().position
        writer.apply([change(at + offset, state) for offset, state in enumerate(states, start=1)])


class IndexContract:
    """The suite."""

    def test_an_index_that_was_never_loaded_is_empty(self, index):
        assert (None, None, None, None) == (index.place(), index.register(), index.rules(), index.key(key(1).id))
        assert (0, 0, 0) == index.now()
        with pytest.raises(NotNextError):
            self.apply_first(index)

    def apply_first(self, index):
        with index.writing() as writer:
            writer.apply([change(1, key(1))])

    def test_what_was_loaded_is_found(self, index):
        load(index, REGISTER, RULES, ORGANIZATION, key(1), key(2), position=9)
        assert (REGISTER, RULES) == (index.register(), index.rules())
        assert ORGANIZATION == index.organization(ORGANIZATION.id)
        assert [key(1), key(2), None] == [index.key(key(number).id) for number in (1, 2, 3)]
        assert Place("feed", 9, mark(9)) == index.place()
        assert 9 == index.now().position

    def test_a_snapshot_in_another_order_is_loaded_all_the_same(self, index):
        load(index, key(2), ORGANIZATION, key(1), RULES)
        assert [key(1), key(2)] == [index.key(key(number).id) for number in (1, 2)]

    def test_a_load_replaces_everything_and_raises_the_generation(self, index):
        load(index, REGISTER, key(1))
        before = index.now()
        load(index, key(2), position=5)
        assert (None, None, key(2)) == (index.register(), index.key(key(1).id), index.key(key(2).id))
        assert before.generation < index.now().generation

    def test_a_change_is_seen_when_writing_has_ended_and_not_before(self, index):
        load(index, key(1))
        revoked = key(1, revoked=5)
        with index.writing() as writer:
            writer.apply([change(2, revoked)])
            assert (key(1), 1) == (index.key(revoked.id), index.now().position)
            assert 2 == writer.place().position
        assert (revoked, 2) == (index.key(revoked.id), index.now().position)

    @pytest.mark.parametrize("state", [ORGANIZATION, REGISTER, RULES], ids=["organization", "catalog", "rules"])
    def test_the_epoch_rises_with_what_verifiers_keep(self, index, state):
        load(index, key(1))
        before = index.now().epoch
        apply(index, key(2))
        assert before == index.now().epoch
        apply(index, state)
        assert before < index.now().epoch

    @pytest.mark.parametrize("positions", [(3,), (1,), (2, 4), (2, 2), (3, 2)])
    def test_changes_that_do_not_follow_change_nothing(self, index, positions):
        load(index, key(1))
        changes = [change(position, key(1, revoked=1)) for position in positions]
        with index.writing() as writer, pytest.raises(NotNextError):
            writer.apply(changes)
        assert (key(1), 1) == (index.key(key(1).id), index.place().position)

    def test_an_exception_undoes_everything(self, index):
        load(index, key(1))
        index.pend(b"t" * 16, 70)
        with pytest.raises(ZeroDivisionError):
            self.fail_while_writing(index)
        assert (None, 1, 70) == (index.key(key(2).id), index.place().position, index.pending_since())

    def fail_while_writing(self, index):
        with index.writing() as writer:
            writer.settle(b"t" * 16)
            writer.apply([change(2, key(2))])
            raise ZeroDivisionError

    def test_a_snapshot_that_breaks_off_leaves_the_old_copy(self, index):
        def broken():
            yield change(7, key(3))
            raise ZeroDivisionError

        load(index, key(1))
        before = index.now()
        with pytest.raises(ZeroDivisionError), index.writing() as writer:
            writer.load(Place("feed", 7, mark(7)), broken())
        assert (before, key(1), None) == (index.now(), index.key(key(1).id), index.key(key(3).id))
        load(index, key(4))
        assert key(4) == index.key(key(4).id)

    def test_what_is_applied_after_a_load_in_one_go_counts(self, index):
        with index.writing() as writer:
            writer.load(Place("feed", 7, mark(7)), [change(7, key(1))])
            writer.apply([change(8, key(1, revoked=1)), change(9, key(2))])
            assert None is index.key(key(2).id)
        assert (key(1, revoked=1), key(2), 9) == (index.key(key(1).id), index.key(key(2).id), index.place().position)

    def test_a_pending_mark_stays_until_it_is_settled(self, index):
        load(index, key(1))
        index.pend(b"a" * 16, 50)
        index.pend(b"b" * 16, 40)
        assert 40 == index.pending_since() == index.behind_since()
        load(index, key(2))
        with index.writing() as writer:
            writer.settle(b"b" * 16)
        assert 50 == index.pending_since()
        with index.writing() as writer:
            writer.settle(b"a" * 16)
        assert None is index.pending_since()

    def test_when_it_was_last_level_is_kept_through_changes_and_loads(self, index):
        load(index, key(1))
        assert Level(0, 0) == index.level()
        index.leveled(Level(1_800_000_000_000, 70))
        apply(index, key(2))
        assert Level(1_800_000_000_000, 70) == index.level()

    def test_two_writers_wait_for_one_another(self, index):
        load(index, key(0))

        def write():
            for _ in range(25):
                apply(index, key(1))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 101 == index.place().position

    @settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
    @given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**80)), max_size=4), max_size=6))
    def test_any_sequence_of_changes_gives_what_a_dictionary_gives(self, index, batches):
        load(index)
        expected = {}
        for batch in batches:
            states = [key(number, grant=grant) for number, grant in batch]
            expected.update({state.id: state for state in states})
            apply(index, *states)
        assert expected == {found.id: found for number in range(5) if (found := index.key(key(number).id))}
        assert 1 + sum(map(len, batches)) == index.now().position
