"""Work done later for a key: decided by the present state, as a call with that key would be, and recorded."""

import msgspec
import pytest

from scopekey.replica.held import Held
from scopekey.testing import Keys
from tests.contract.event_entries import entry_of
from tests.contract.index import apply

EVERY = ("datasets:read", "datasets:write")


@pytest.fixture
def keys():
    return Keys(*EVERY)


def started(keys, *permissions, address="10.1.2.3", **options):
    """A key, and what is kept of a call that was made with it."""
    printed = keys.add(*permissions, **options)
    event, _ = keys.verifier.ask(printed, permissions, address=address)
    return printed, Held.of(event)


def ask(keys, held, *permissions):
    event, ticket = keys.verifier.ask_held(held, permissions, operation="nightly", object="7", request_id="r-1")
    ticket.wait()
    return event


def answer(keys, held, *permissions):
    decision = ask(keys, held, *permissions).decision
    return "allowed" if decision else decision.reason.value


def test_a_live_key_may_do_later_what_it_holds_and_nothing_else(keys):
    _, held = started(keys, "datasets:read")
    assert ["allowed", "allowed", "missing_permission"] == [
        answer(keys, held),
        answer(keys, held, "datasets:read"),
        answer(keys, held, *EVERY),
    ]
    assert ["datasets:write"] == [str(p) for p in ask(keys, held, *EVERY).decision.missing]


def test_what_happens_to_the_key_meanwhile_counts_at_once(keys):
    printed, held = started(keys, "datasets:read")
    keys.grant(printed, "datasets:write")
    assert "missing_permission" == answer(keys, held, "datasets:read")
    keys.grant(printed, *EVERY)
    assert "allowed" == answer(keys, held, "datasets:read")
    keys.organization(suspended=True)
    assert "revoked_key" == answer(keys, held, "datasets:read")
    keys.organization(suspended=False)
    keys.revoke(printed)
    assert "revoked_key" == answer(keys, held, "datasets:read")


def test_a_key_that_ends_meanwhile_is_expired(keys):
    _, held = started(keys, "datasets:read", expires_in=1_000)
    keys.now += 1_000
    assert "expired_key" == answer(keys, held, "datasets:read")


def test_a_secret_that_was_rotated_out_counts_no_more(keys):
    printed, held = started(keys, "datasets:read")
    key = keys.key(printed)
    (old,) = key.secrets
    new = msgspec.structs.replace(old, number=2, digest=bytes(32))
    overlapping = (msgspec.structs.replace(old, until=keys.now + 500), new)
    apply(keys.index, msgspec.structs.replace(key, version=2, secrets=overlapping))
    assert "allowed" == answer(keys, held, "datasets:read")
    keys.now += 500
    assert "expired_key" == answer(keys, held, "datasets:read")
    apply(keys.index, msgspec.structs.replace(key, version=3, secrets=(new,)))
    event = ask(keys, held, "datasets:read")
    assert ("unknown_key", held.key_id) == (event.decision.reason.value, event.decision.key_id)


def test_a_key_bound_to_networks_is_held_to_the_address_of_its_call(keys):
    printed, held = started(keys, "datasets:read", networks=["10.0.0.0/8"])
    assert "allowed" == answer(keys, held, "datasets:read")
    elsewhere = msgspec.structs.replace(held, address="192.0.2.1")
    nowhere = msgspec.structs.replace(held, address=None)
    assert ["address_not_allowed"] * 2 == [answer(keys, other, "datasets:read") for other in (elsewhere, nowhere)]
    assert printed not in repr(held)


def test_a_key_that_is_not_there_is_unknown(keys):
    assert "unknown_key" == answer(keys, Held("key_000000000000", 1), "datasets:read")


def test_a_replica_that_is_too_old_answers_nothing(keys):
    _, held = started(keys, "datasets:read")
    keys.verifier.freshness._behind_since = lambda: 0
    keys.now += 60_000
    assert "stale_replica" == answer(keys, held, "datasets:read")


def test_each_step_of_the_work_is_one_entry_that_names_it_and_the_call_that_started_it(keys):
    _, held = started(keys, "datasets:read")
    before = len(keys.events)
    ask(keys, held, *EVERY)
    (event,) = keys.events[before:]
    entry = entry_of(event, bytes(16))
    assert ("nightly", "7", "r-1", held.key_id, 1, "10.1.2.3", False, ["datasets:write"]) == (
        entry.operation,
        entry.object,
        entry.request_id,
        entry.key,
        entry.secret,
        entry.address,
        entry.allowed,
        entry.missing,
    )


def test_only_a_call_that_was_let_through_with_a_key_can_be_held(keys):
    refused, _ = keys.verifier.ask(keys.add("datasets:read"), ["datasets:write"])
    nobody, _ = keys.verifier.ask("nonsense", ["datasets:write"])
    for event in (refused, nobody):
        with pytest.raises(ValueError, match="let through"):
            Held.of(event)
