"""Repeating a call: one key, and its secret only once."""

import pytest

from tests.authority.home import DAY, MANAGE, refused


def test_a_repeat_gives_the_same_key_and_no_secret(either):
    first = either.issue("datasets:read", again="once")
    position = either.position()
    repeat = either.issue("datasets:read", again="once")
    assert (first.key, None, position) == (repeat.key, repeat.secret, either.position())


def test_a_repeat_of_a_rotation_gives_no_second_secret(home):
    key = home.issue("datasets:read").key
    first = home.rotate(key.id, again="once")
    repeat = home.rotate(key.id, again="once")
    assert (first.key, None, 2) == (repeat.key, repeat.secret, home.key(key.id).version)


def test_the_same_word_for_another_call_is_a_conflict(home):
    key = home.issue("datasets:read", again="once").key
    for another in (
        lambda: home.issue("queries:read", again="once"),
        lambda: home.rotate(key.id, again="once"),
    ):
        with refused("conflict", field="Idempotency-Key"):
            another()
    home.rotate(key.id, again="twice")
    with refused("conflict", field="Idempotency-Key"):
        home.rotate(home.issue().key.id, again="twice")


def test_the_same_word_of_another_actor_is_another_call(home):
    one, two = (home.caller("datasets:read", MANAGE) for _ in range(2))
    made = {home.issue("datasets:read", by=by, again="once").key.id for by in (one, two, home.machine)}
    assert 3 == len(made)


def test_a_call_that_failed_is_not_remembered(home):
    by = home.caller("datasets:read", MANAGE)
    with refused("exceeds_caller"):
        home.issue("datasets:write", by=by, again="once")
    assert home.issue("datasets:read", by=by, again="once").secret is not None


@pytest.mark.parametrize(("later", "repeats"), [(DAY, True), (DAY + 1, False)])
def test_a_call_is_remembered_for_a_day(home, later, repeats):
    first = home.issue(again="once", never_expires=True)
    home.now += later
    assert repeats == (first.key.id == home.issue(again="once", never_expires=True).key.id)
