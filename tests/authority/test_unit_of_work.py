"""One unit of work: rows, change, entry and replica move together, or nothing does."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pytest

from scopekey.authority.actor import Caller
from scopekey.store.changes import Changes
from scopekey.store.engine import Store
from scopekey.store.entries import Entries
from scopekey.store.idempotency import Idempotency
from scopekey.store.keys import Keys
from tests.authority.home import MANAGE, NOW, PEPPER, refused


class BrokenError(Exception):
    """What a test broke."""


def break_(*_, **__):
    raise BrokenError


def broken_commit(writing):
    """Do everything, and fail where it would be committed."""

    @contextmanager
    def broken(store):
        with writing(store) as tx:
            yield tx
            raise BrokenError

    return broken


def state(home):
    """Everything a change could move: keys and organizations, the feed, the log, what is remembered, the replica."""
    with home.store.reading() as tx:
        tables = ("keys", "secrets", "key_permissions", "organizations", "changes", "entries", "idempotency", "feed")
        rows = [tx.connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]
    return rows, home.index.place(), home.index.pending_since()


STEPS = {
    "insert": (Keys, "insert"),
    "update": (Keys, "update"),
    "remember": (Idempotency, "put"),
    "announce": (Changes, "announce"),
    "entry": (Entries, "append"),
    "commit": (Store, "writing"),
}


@pytest.mark.parametrize(
    ("act", "step"),
    [("issue", step) for step in ("insert", "remember", "announce", "entry", "commit")]
    + [("rotate", step) for step in ("update", "remember", "announce", "entry", "commit")]
    + [(act, step) for act in ("edit", "revoke") for step in ("update", "announce", "entry", "commit")]
    + [("tenant", step) for step in ("announce", "entry", "commit")],
)
def test_a_failure_at_any_step_leaves_everything_as_it_was(home, monkeypatch, act, step):
    issued = home.issue("datasets:read")
    acts = {
        "issue": lambda: home.issue("datasets:read", again="once"),
        "rotate": lambda: home.rotate(issued.key.id, again="once"),
        "edit": lambda: home.edit(issued.key.id, permissions=[]),
        "revoke": lambda: home.revoke(issued.key.id),
        "tenant": home.tenant,
    }
    before = state(home)
    owner, name = STEPS[step]
    with monkeypatch.context() as broken:
        broken.setattr(owner, name, broken_commit(Store.writing) if step == "commit" else break_)
        with pytest.raises(BrokenError):
            acts[act]()
    assert before == state(home)
    assert "allowed" == home.check(issued.secret, "datasets:read")
    acts[act]()
    assert home.position() == before[1].position + 1 == home.index.place().position


def test_an_entry_says_who_did_what_to_which_key_and_what_it_was(home):
    by = home.caller("datasets:read", "datasets:write", MANAGE)
    key = home.issue("datasets:read", "datasets:write", by=by, name="Nightly").key
    issue = home.entry()
    home.edit(key.id, by=by, permissions=["datasets:read"])
    edit = home.entry()
    own = {"kind": "key", "id": by.id, "organization": key.organization}
    assert [own, own] == [msgspec.to_builtins(entry.actor) for entry in (issue, edit)]
    assert ("change", "key.edit", key.id, key.id, key.organization, NOW, "req_key", "10.1.2.3") == (
        *(edit.kind, edit.action, edit.key, edit.object, edit.organization, edit.at, edit.request_id, edit.address),
    )
    assert (None, "Nightly", ["datasets:read", "datasets:write"], 1) == (
        issue.before,
        issue.after["name"],
        issue.after["permissions"],
        issue.after["version"],
    )
    assert {"permissions": ["datasets:read", "datasets:write"], "version": 1} == edit.before
    assert {"permissions": ["datasets:read"], "version": 2} == edit.after


def test_every_change_has_one_entry_with_its_position_and_a_nonce_of_its_own(home):
    key = home.issue("datasets:read").key
    home.edit(key.id, name="x")
    home.rotate(key.id)
    home.revoke(key.id)
    home.edit_tenant(home.tenant(), name="y")
    entries = [found.entry for found in reversed(home.entries())]
    assert list(range(1, home.position() + 1)) == [entry.position for entry in entries]
    nonces = {entry.nonce for entry in entries}
    assert (len(entries), {32}) == (len(nonces), {len(bytes.fromhex(nonce)) * 2 for nonce in nonces})


def test_nothing_secret_is_in_an_entry_an_exception_or_a_repr(home):
    issued = home.issue("datasets:read", MANAGE)
    rotated = home.rotate(issued.key.id)
    told = [found.body.decode() for found in home.entries()]
    told += [repr(thing) for thing in (issued, rotated, home.authority, home.key(issued.key.id))]
    with refused("exceeds_caller") as caught:
        home.issue("datasets:write", by=Caller("key", issued.key.id))
    told += [repr(caught.value), str(caught.value), repr(caught.value.fields)]
    secrets = [issued.secret, rotated.secret]
    digests = [home.authority.pepper.digest(secret) for secret in secrets]
    hidden = [secret[17:-6] for secret in secrets] + [PEPPER.decode(), PEPPER.hex()]
    hidden += [form for digest in digests for form in (digest.hex(), repr(digest)[2:-1])]
    assert [] == [text for text in told for secret in hidden if secret in text]


def test_what_would_not_fit_into_one_entry_is_refused_and_changes_nothing(home):
    metadata = {f"{number:02}": "\U0001f600" * 500 for number in range(20)}
    key = home.issue("datasets:read", metadata=metadata).key
    before = state(home)
    with refused("too_large"):
        home.edit(key.id, metadata=dict.fromkeys(metadata, "😁" * 500))
    assert before == state(home)


@pytest.mark.parametrize("kind", ["person", "system"])
def test_whoever_is_no_key_is_not_taken_for_the_machine(home, kind):
    key = home.issue(MANAGE).key
    for identity in ("home", key.id):
        with refused("revoked_key"):
            home.issue(by=Caller(kind, identity))


def test_a_key_that_ended_or_is_not_there_changes_nothing(home):
    by = home.caller(MANAGE, expires_in="1d")
    home.now += 86_400_000
    with refused("expired_key"):
        home.issue(by=by)
    with refused("revoked_key"):
        home.issue(by=Caller("key", "key_000000000000"))


def test_a_store_without_a_catalog_says_that_it_was_never_initialised(empty):
    with empty.store.writing() as tx:
        tx.meta.set("feed_id", "feed")
    with refused("unavailable"):
        empty.issue()


def test_changes_of_several_threads_are_dense_and_all_applied(either):
    with ThreadPoolExecutor(2) as threads:
        issued = list(threads.map(lambda number: either.issue("datasets:read", name=f"k{number}"), range(12)))
        list(threads.map(lambda one: either.revoke(one.key.id), issued[::2]))
    assert ["revoked_key", "allowed"] * 6 == [either.check(one.secret, "datasets:read") for one in issued]
    positions = [found.entry.position for found in either.entries()]
    assert list(range(1, either.position() + 1)) == sorted(positions)
    assert (either.position(), None) == (either.index.place().position, either.index.pending_since())


def test_of_two_edits_of_one_version_at_once_one_is_refused(either):
    key = either.issue("datasets:read").key

    def edit(name):
        try:
            return either.edit(key.id, name=name, version=1).version
        except Exception as error:  # noqa: BLE001 - what it was is what is looked at
            return error.problem.code

    with ThreadPoolExecutor(2) as threads:
        assert {2, "version_conflict"} == set(threads.map(edit, ["a", "b"]))


def test_two_edits_of_one_tenant_at_once_are_both_made(either):
    tenant = either.tenant()
    with ThreadPoolExecutor(2) as threads:
        versions = threads.map(lambda name: either.edit_tenant(tenant, name=name).version, ["a", "b"])
        assert {2, 3} == set(versions)
