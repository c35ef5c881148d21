"""What every database must do for a store: run by tests/store on SQLite and on PostgreSQL.

A class that inherits this gives two fixtures: `url`, of a new database with its tables, and
`another_url`, of one without. `upgrade_older` is how a database of an older version is brought up.
"""

# ruff: noqa: PT012 - a transaction is a block of statements, and its end may be what is refused

import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from scopekey.audit.entry import Entry, Who, canonical
from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization, Policy
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.store import changes, migrate
from scopekey.store.dialect import Database, read_url
from scopekey.store.engine import Store
from scopekey.store.errors import (
    AnotherHistoryError,
    DuplicateError,
    SchemaError,
    StoreError,
    StoreUnavailableError,
    VersionConflictError,
)
from scopekey.store.keys import KeyFilter, KeyRow
from scopekey.store.tables import metadata
from scopekey.wire.changes import catalog_digest

ACME = Organization(OrganizationId("org_AAAAAAAAAAAA"), "Acme", operator=True)
OTHER = Organization(OrganizationId("org_bbbbbbbbbbbb"), "Other", policy=Policy(max_key_age=50, never_expires=True))
PEPPER = PepperId("0a0b0c0d")
MACHINE = Who("machine", "home")
CATALOG = Register.first(Catalog("platform", (Resource("datasets", "Datasets", "Data", ("read", "write")),)))
RULES = Rules((Rule(Operation.parse("GET /datasets"), None),))


def mark(number):
    return number.to_bytes(16, "big")


def key_row(name, *, grant=0b1, created=100, organization=ACME.id, title="a key", **more):
    key_id = KeyId(f"key_{name:0>12}")
    more.setdefault("secrets", (Secret(bytes(32), PEPPER),))
    return KeyRow(Key(key_id, 1, organization, "live", grant=grant, created=created, **more), title, {}, MACHINE)


def names(rows):
    return [row.key.id.removeprefix("key_").lstrip("0") for row in rows]


def announce(tx, *subjects, first_mark):
    return tx.changes.announce(subjects, [mark(first_mark + at) for at in range(len(subjects))], 5)


def add_key(store, name, number, **more):
    """Add a key and announce it, in a transaction of its own; gives the position."""
    with store.writing() as tx:
        row = key_row(name, **more)
        # Who reads before writing, as every operation does, must not be refused for it.
        tx.changes.place()
        tx.keys.insert(row)
        return announce(tx, ("key", row.key.id), first_mark=number)[0]


def list_names(store, **wanted):
    with store.reading() as tx:
        return names(tx.keys.page(KeyFilter(**{"now": 1_000, **wanted}), None, 100))


def give_up():
    """Leave a transaction without committing it."""
    raise ZeroDivisionError


def write_and_sometimes_give_up(store, writer):
    """Add eight keys, and four more that are rolled back; gives the positions of those that were committed."""
    given = []
    for turn in range(12):
        name, number = f"{writer}x{turn}", 100 + writer * 12 + turn
        if turn % 3:
            given.append(add_key(store, name, number))
            continue
        with suppress(ZeroDivisionError), store.writing() as tx:
            tx.keys.insert(key_row(name))
            announce(tx, ("key", key_row(name).key.id), first_mark=number)
            give_up()
    return given


def follow(store, writing):
    """Follow the feed until nobody writes any more; gives every position in the order it was seen."""
    place, seen = ("feed-one", 2, mark(2)), []
    while True:
        last = not writing.is_set()
        with store.reading() as tx:
            found = tx.changes.after(place, 5)
        if not found and last:
            return seen
        for change in found:
            seen.append(change.position)
            place = ("feed-one", change.position, change.mark)


def make_at(url, revision):
    """Make a database as an older version left it, with a row in it."""
    database = Database(read_url(url), 1_000)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('from_before', 'kept')")
    database.close()


class StoreContract:
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

    # Rows

    def test_a_key_comes_back_as_it_was_put(self, store):
        row = KeyRow(
            key=Key(
                id=KeyId("key_0123456789ab"),
                version=3,
                organization=ACME.id,
                environment="test",
                secrets=(Secret(b"\x01" * 32, PEPPER, 1, 900), Secret(b"\x00" * 32, PepperId("ffffffff"), 2)),
                grant=1 << 130 | 1 << 64 | 0b101,
                created=100,
                expires=2**42,
                networks=(ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")),
                revoked=500,
                probation=1 << 130,
                probation_ends=700,
                extensions=("objects",),
            ),
            name="naïve – 💡",
            metadata={"team": "Δ", "z": "", "a": "1"},
            created_by=Who("key", "key_aaaaaaaaaaaa", ACME.id),
            revoke_reason="other",
            revoke_comment="said so",
            granted_at={0: 100, 2: 200, 64: 300, 130: 400},
            secret_created={1: 100, 2: 200},
        )
        with store.writing() as tx:
            tx.keys.insert(row)
        with store.reading() as tx:
            assert row == tx.keys.get(row.key.id)

    def test_what_is_not_said_about_a_grant_counts_from_the_keys_creation(self, store):
        add_key(store, "a", 10, grant=0b110, created=123)
        with store.reading() as tx:
            row = tx.keys.get(key_row("a").key.id)
        assert ({1: 123, 2: 123}, {1: 123}, 3) == (row.granted_at, row.secret_created, row.position)

    def test_what_is_not_there_is_none(self, store):
        with store.reading() as tx:
            assert [None] * 4 == [
                tx.keys.get(KeyId("key_000000000000")),
                tx.organizations.get("org_000000000000"),
                tx.documents.get("rules"),
                tx.meta.get("pepper_id"),
            ]

    def test_an_update_replaces_secrets_and_permissions(self, store):
        add_key(store, "a", 10, grant=0b1)
        before = key_row("a")
        after = msgspec.structs.replace(
            before,
            key=msgspec.structs.replace(
                before.key, version=2, grant=0b10, secrets=(Secret(b"\x02" * 32, PEPPER, 2),), revoked=900
            ),
        )
        with store.writing() as tx:
            tx.keys.update(after, 1)
        with store.reading() as tx:
            assert after.key == tx.keys.get(before.key.id).key

    def test_an_update_of_an_older_version_changes_nothing(self, store):
        add_key(store, "a", 10)
        with pytest.raises(VersionConflictError), store.writing() as tx:
            tx.keys.update(key_row("a", grant=0b111), 7)
        with pytest.raises(VersionConflictError), store.writing() as tx:
            tx.organizations.update(msgspec.structs.replace(ACME, name="Changed"), 7)
        with store.reading() as tx:
            assert (0b1, ACME) == (tx.keys.get(key_row("a").key.id).key.grant, tx.organizations.get(ACME.id))

    def test_the_same_key_twice_is_refused_with_all_that_came_before_it(self, store):
        add_key(store, "a", 10)
        with pytest.raises(DuplicateError), store.writing() as tx:
            tx.keys.insert(key_row("b"))
            tx.keys.insert(key_row("a"))
        assert ["a"] == list_names(store)

    def test_an_organization_is_changed_and_the_operator_is_found(self, store):
        changed = msgspec.structs.replace(OTHER, suspended=True, policy=Policy(None, never_expires=False), version=2)
        with store.writing() as tx:
            tx.organizations.update(changed, 1)
        with store.reading() as tx:
            assert (changed, ACME) == (tx.organizations.get(OTHER.id), tx.organizations.operator())

    def test_organizations_are_listed_in_the_order_they_were_made(self, store):
        late = Organization(OrganizationId("org_000000000000"), "Late")
        with store.writing() as tx:
            tx.organizations.insert(late, 11)
        with store.reading() as tx:
            first = tx.organizations.page(None, 2)
            assert ([(10, ACME), (10, OTHER)], [(11, late)]) == (first, tx.organizations.page((10, OTHER.id), 2))

    def test_a_probation_of_what_is_not_held_is_refused(self, store):
        with pytest.raises(ValueError, match="on probation"), store.writing() as tx:
            tx.keys.insert(key_row("a", grant=0b1, probation=0b10))

    @pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
    @pytest.mark.parametrize("where", ["name", "metadata", "comment", "meta", "actor", "search"])
    def test_text_that_cannot_be_stored_is_a_plain_value_error(self, store, where, text):
        rows = {
            "name": msgspec.structs.replace(key_row("a"), name=text),
            "metadata": msgspec.structs.replace(key_row("a"), metadata={"note": text}),
            "comment": msgspec.structs.replace(key_row("a"), revoke_comment=text),
        }
        with pytest.raises(ValueError, match="cannot be stored") as caught, store.writing() as tx:
            if where in rows:
                tx.keys.insert(rows[where])
            elif where == "meta":
                tx.meta.set("x", text)
            elif where == "actor":
                tx.idempotency.get(text, "k")
            else:
                tx.keys.page(KeyFilter(now=1, text=text), None, 1)
        assert "INSERT" not in str(caught.value)

    def test_a_number_beyond_64_bits_is_a_plain_value_error(self, store):
        with pytest.raises(ValueError, match="64 bits"), store.writing() as tx:
            tx.keys.insert(key_row("a", expires=2**63))

    def test_no_error_repeats_what_was_to_be_stored_or_how(self, store):
        with pytest.raises(StoreError) as caught, store.writing() as tx:
            tx.keys.insert(key_row("a", organization="org_canarycanary", title="canary"))
        told = f"{caught.value!r} {caught.value.__cause__}"
        assert not caught.value.__cause__
        assert caught.value.__suppress_context__
        assert ("canary" in told, "INSERT" in told) == (False, False)

    # Lists

    def test_pages_follow_one_another_without_a_gap(self, store):
        for number, (name, created) in enumerate([("c", 1), ("b", 2), ("a", 2), ("B", 2), ("d", 3)]):
            add_key(store, name, 10 + number, created=created)
        seen, after = [], None
        with store.reading() as tx:
            while page := tx.keys.page(KeyFilter(now=5), after, 2):
                seen += names(page)
                after = (page[-1].key.created, page[-1].key.id)
        # Within one time by id, byte by byte: B before a.
        assert ["c", "B", "a", "b", "d"] == seen

    def test_the_status_of_a_key_follows_its_organizations_policy(self, store):
        table = itertools.product([None, 120, 400], [None, 50, 500], [True, False])
        ends = {}
        for number, (expires, max_key_age, never_expires) in enumerate(table, start=10):
            organization = Organization(
                OrganizationId(f"org_{number:012}"), "x", policy=Policy(max_key_age, never_expires)
            )
            with store.writing() as tx:
                tx.organizations.insert(organization, 10)
            add_key(store, f"{number}", number, organization=organization.id, created=100, expires=expires)
            key = key_row("x", created=100, expires=expires).key
            ends[key_row(f"{number}").key.id[-2:]] = key.ends(organization)
        assert {None, 120, 150, 400, 600} == set(ends.values())
        for now in (119, 120, 149, 150, 400, 600):
            over = [name for name, end in ends.items() if end is not None and now >= end]
            soon = [name for name, end in ends.items() if end is not None and now < end <= now + 10]
            assert over == list_names(store, status="expired", now=now)
            assert [name for name in ends if name not in over] == list_names(store, status="active", now=now)
            assert soon == list_names(store, expiring_before=now + 10, now=now)

    def test_a_revoked_key_is_neither_active_nor_expired_nor_about_to_expire(self, store):
        add_key(store, "a", 10, expires=500, revoked=200)
        assert ["a"] == list_names(store, status="revoked")
        assert [] == list_names(store, status="active", now=300)
        assert [] == list_names(store, status="expired", now=600)
        assert [] == list_names(store, expiring_before=600, now=300)

    def test_keys_are_found_by_organization_permission_and_text(self, store):
        add_key(store, "a", 10, title="Nightly 100%_import")
        add_key(store, "b", 11, title="ÄRGER", grant=1 << 70)
        add_key(store, "c", 12, organization=OTHER.id, grant=0b11, probation=0b10, probation_ends=2_000)
        with store.writing() as tx:
            tx.keys.insert(msgspec.structs.replace(key_row("d", grant=0), metadata={"team": "Import"}))
        assert ["c"] == list_names(store, organization=OTHER.id)
        assert ["b"] == list_names(store, bit=70)
        assert (["c"], []) == (list_names(store, bit=1, now=1_999), list_names(store, bit=1, now=2_000))
        assert ["a", "d"] == list_names(store, text="IMPORT")
        assert ["b"] == list_names(store, text="ärger")
        assert ["a"] == list_names(store, text="0%_")
        assert [] == list_names(store, text="1%import")
        assert ["c"] == list_names(store, text="key_00000000000C")

    def test_another_live_holder_is_one_of_the_same_organization_that_still_works(self, store):
        add_key(store, "me", 10, grant=0b10)
        add_key(store, "else", 11, grant=0b10, organization=OTHER.id)
        add_key(store, "gone", 12, grant=0b10, revoked=1)
        add_key(store, "over", 13, grant=0b10, expires=1_000)
        add_key(store, "less", 14, grant=0b01)
        with store.reading() as tx:
            found = [tx.keys.another_live_holder(1, key_row("me").key.id, ACME.id, now) for now in (999, 1_000)]
        assert [True, False] == found

    def test_peppers_are_counted_over_secrets_that_still_work(self, store):
        new = PepperId("11111111")
        both = (Secret(bytes(32), PEPPER, 1, until=500), Secret(bytes(32), new, 2))
        add_key(store, "a", 10, secrets=both)
        add_key(store, "b", 11)
        add_key(store, "c", 12, revoked=1)
        with store.reading() as tx:
            assert ({PEPPER: 2, new: 1}, {PEPPER: 1, new: 1}) == (
                tx.keys.pepper_counts(499),
                tx.keys.pepper_counts(500),
            )

    # Documents, entries, repeated calls

    def test_a_document_is_read_as_it_was_applied_by_whoever_applied_it(self, store, impatient):
        for number, register in enumerate((CATALOG, Register(CATALOG.catalog, CATALOG.bits, 99))):
            with store.writing() as tx:
                tx.documents.put("catalog", register, 7)
                announce(tx, ("catalog", "catalog"), first_mark=20 + number)
            for reader in (store, impatient):
                with reader.reading() as tx:
                    found = tx.documents.get("catalog")
                    assert (register, register) == (found.state, tx.documents.state("catalog"))
            assert (catalog_digest(CATALOG.catalog), 7, 3 + number) == (found.digest, found.applied_at, found.position)

    def test_a_document_that_was_rolled_back_is_forgotten(self, store):
        with pytest.raises(ZeroDivisionError), store.writing() as tx:
            tx.documents.put("rules", RULES, 7)
            assert RULES == tx.documents.state("rules")
            tx.documents.put("rules", Rules(), 7)
            assert Rules() == tx.documents.state("rules")
            give_up()
        with store.reading() as tx:
            assert tx.documents.state("rules") is None

    def test_entries_are_kept_as_their_bytes(self, store):
        written = [Entry(nonce="0" * 31 + str(n), at=n, kind="change", key="key_a") for n in range(3)]
        with store.writing() as tx:
            tx.entries.append([])
            tx.entries.append([(entry, canonical(entry)) for entry in written])
        with store.reading() as tx:
            newest = tx.entries.newest(2)
        assert [(written[2], canonical(written[2]), None), (written[1], canonical(written[1]), None)] == [
            (found.entry, found.body, found.log_index) for found in newest
        ]

    def test_a_call_is_remembered_until_it_is_purged(self, store):
        with store.writing() as tx:
            tx.idempotency.put("key_a", "once", "digest", KeyId("key_b"), 50)
        with pytest.raises(DuplicateError), store.writing() as tx:
            tx.idempotency.put("key_a", "once", "other", KeyId("key_c"), 51)
        with store.writing() as tx:
            assert ("digest", "key_b") == msgspec.structs.astuple(tx.idempotency.get("key_a", "once"))[:2]
            assert tx.idempotency.get("key_b", "once") is None
            assert (0, 1) == (tx.idempotency.purge(50), tx.idempotency.purge(51))
            assert tx.idempotency.get("key_a", "once") is None

    def test_a_journal_goes_on_where_it_was_until_it_is_forgotten(self, store):
        with store.writing() as tx:
            assert tx.journals.hold("node", "file") is None
            tx.journals.begin("node", "file", 50)
            tx.journals.begin("node", "another", 51)
            tx.journals.advance("node", "file", 2**53, 60)
        with pytest.raises(DuplicateError), store.writing() as tx:
            tx.journals.begin("node", "file", 70)
        with store.writing() as tx:
            assert (2**53, 0, None) == tuple(
                tx.journals.hold(*name) for name in (("node", "file"), ("node", "another"), ("file", "node"))
            )
            assert (0, 1) == (tx.journals.purge(51), tx.journals.purge(60))
            assert (2**53, None) == (tx.journals.hold("node", "file"), tx.journals.hold("node", "another"))

    def test_a_journal_is_held_by_one_transaction_at_a_time(self, store, impatient):
        with store.writing() as tx:
            tx.journals.begin("node", "file", 1)
        with store.writing() as holder:
            assert 0 == holder.journals.hold("node", "file")
            with pytest.raises(StoreUnavailableError), impatient.writing() as tx:
                tx.journals.hold("node", "file")
            holder.journals.advance("node", "file", 7, 2)
        with impatient.writing() as tx:
            assert 7 == tx.journals.hold("node", "file")

    # The feed

    def test_a_rollback_leaves_no_gap(self, store):
        with pytest.raises(ZeroDivisionError), store.writing() as tx:
            tx.keys.insert(key_row("a"))
            assert [3] == announce(tx, ("key", key_row("a").key.id), first_mark=3)
            give_up()
        assert 3 == add_key(store, "b", 4)
        with store.reading() as tx:
            assert ("feed-one", 3, mark(4)) == tx.changes.place()

    def test_positions_are_dense_and_in_commit_order_while_many_write_and_some_give_up(self, store):
        writing = threading.Event()
        writing.set()
        with ThreadPoolExecutor(5) as threads:
            follower = threads.submit(follow, store, writing)
            writers = [threads.submit(write_and_sometimes_give_up, store, writer) for writer in range(4)]
            wait(writers)
            writing.clear()
            given = [position for writer in writers for position in writer.result()]
            followed = follower.result()
        everything = list(range(3, 35))
        assert (everything, everything) == (sorted(given), followed)

    def test_what_follows_a_place_is_each_thing_as_it_is_now(self, store):
        add_key(store, "a", 3)
        with store.writing() as tx:
            tx.documents.put("rules", RULES, 7)
            narrowed = msgspec.structs.replace(key_row("a").key, version=2, grant=0)
            tx.keys.update(msgspec.structs.replace(key_row("a"), key=narrowed), 1)
            assert [4, 5] == announce(tx, ("rules", "rules"), ("key", narrowed.id), first_mark=4)
        with store.reading() as tx:
            found = tx.changes.after(("feed-one", 1, mark(1)), 3)
            rest = tx.changes.after(("feed-one", 4, mark(4)), 3)
            assert [] == tx.changes.after(tx.changes.place(), 3)
        assert [(2, mark(2), OTHER), (3, mark(3), narrowed), (4, mark(4), RULES)] == [
            (change.position, change.mark, change.state) for change in found
        ]
        assert [(5, narrowed)] == [(change.position, change.state) for change in rest]

    def test_a_feed_can_be_followed_from_its_very_beginning(self, store):
        with store.reading() as tx:
            assert [1, 2] == [change.position for change in tx.changes.after(("feed-one", 0, b""), 9)]

    @pytest.mark.parametrize(
        "place",
        [
            ("feed-two", 2, mark(2)),
            ("feed-one", 3, mark(3)),
            ("feed-one", -1, mark(3)),
            ("feed-one", 2, mark(9)),
            ("feed-one", 1, mark(9)),
            ("feed-one", 0, mark(9)),
        ],
        ids=["another feed", "a later position", "no position", "another last mark", "another mark", "a mark at 0"],
    )
    def test_a_place_of_another_history_is_refused(self, store, place):
        with store.reading() as tx, pytest.raises(AnotherHistoryError):
            tx.changes.after(place, 10)

    def test_a_place_that_is_no_longer_kept_is_refused(self, store):
        add_key(store, "a", 3)
        with store.writing() as tx:
            tx.connection.exec_driver_sql("DELETE FROM changes WHERE position <= 2")
        with store.reading() as tx:
            for place in (("feed-one", 1, mark(1)), ("feed-one", 0, b""), ("feed-one", 2, mark(2))):
                with pytest.raises(AnotherHistoryError):
                    tx.changes.after(place, 10)
            assert [] == tx.changes.after(("feed-one", 3, mark(3)), 10)

    def test_what_does_not_exist_cannot_be_announced(self, store):
        with pytest.raises(ValueError, match="there is no key"), store.writing() as tx:
            announce(tx, ("key", "key_000000000000"), first_mark=3)

    def test_a_store_without_a_feed_says_that_it_was_never_initialised(self, url):
        store = Store.open(url)
        with store.reading() as tx, pytest.raises(StoreError, match="scopekey init"):
            tx.changes.place()
        store.close()

    def test_a_snapshot_holds_everything_in_order_with_its_last_change(self, store, monkeypatch):
        monkeypatch.setattr(changes, "BATCH", 2)
        for number, name in enumerate("cAab"):
            add_key(store, name, 3 + number)
        with store.writing() as tx:
            tx.documents.put("catalog", CATALOG, 7)
            tx.documents.put("rules", RULES, 7)
            announce(tx, ("rules", "rules"), ("catalog", "catalog"), first_mark=7)
        with store.reading() as tx:
            found = [(change.position, change.mark, change.state) for change in tx.changes.snapshot()]
        keys = [(at, mark(at), key_row(name).key) for at, name in ((4, "A"), (5, "a"), (6, "b"), (3, "c"))]
        things = [(8, mark(8), CATALOG), (7, mark(7), RULES), (1, mark(1), ACME), (2, mark(2), OTHER)]
        assert things + keys == found

    def test_a_snapshot_is_as_of_its_place_while_others_go_on_writing(self, store, monkeypatch):
        monkeypatch.setattr(changes, "BATCH", 1)
        add_key(store, "a", 3)
        add_key(store, "c", 4)
        with store.reading() as tx:
            place = tx.changes.place()
            snapshot = tx.changes.snapshot()
            begun = [next(snapshot), next(snapshot), next(snapshot)]
            add_key(store, "b", 5)
            with store.writing() as other:
                other.keys.update(msgspec.structs.replace(key_row("c"), key=key_row("c", grant=0b1111).key), 1)
                announce(other, ("key", key_row("c").key.id), first_mark=6)
            found = [*begun, *snapshot]
        assert (4, 6) == (place.position, add_key(store, "d", 7) - 1)
        assert [key_row("a").key, key_row("c").key] == [change.state for change in found[2:]]
        assert max(change.position for change in found) == place.position

    # Faults

    def test_a_lock_held_too_long_makes_the_store_unavailable_and_changes_nothing(self, store, impatient):
        add_key(store, "a", 3)
        with store.writing() as holder:
            holder.keys.get(key_row("a").key.id, lock=True)
            with pytest.raises(StoreUnavailableError), impatient.writing() as tx:
                tx.entries.append([(Entry(nonce="0", at=1, kind="change"), b"{}")])
                tx.keys.get(key_row("a").key.id, lock=True)
            # Reading goes on.
            assert ["a"] == list_names(impatient)
        with store.reading() as tx:
            assert [] == tx.entries.newest(1)
        assert 4 == add_key(impatient, "b", 4)

    def test_a_child_process_opens_connections_of_its_own(self, store):
        add_key(store, "a", 3)
        child = os.fork()
        if child == 0:
            try:
                add_key(store, "b", 4)
                os._exit(0)
            finally:
                os._exit(1)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert 5 == add_key(store, "c", 5)

    def test_a_closed_store_can_be_used_again(self, store):
        store.close()
        assert [] == list_names(store)

    # The schema

    def test_a_database_is_upgraded_once(self, another_url):
        assert [False, True, True, False] == [
            migrate.is_current(another_url),
            migrate.upgrade(another_url),
            migrate.is_current(another_url),
            migrate.upgrade(another_url),
        ]

    @pytest.mark.parametrize("old", migrate.REVISIONS[:-1])
    def test_a_database_of_every_older_version_is_upgraded_with_what_is_in_it(self, another_url, old):
        make_at(another_url, old)
        assert not migrate.is_current(another_url)
        self.upgrade_older(another_url)
        assert migrate.is_current(another_url)
        store = Store.open(another_url)
        with store.reading() as tx:
            assert "kept" == tx.meta.get("from_before")
            context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
            assert [] == compare_metadata(context, metadata)
        store.close()

    def test_several_upgrades_at_once_are_one(self, another_url):
        together = threading.Barrier(3)

        def upgrade(_):
            together.wait()
            return migrate.upgrade(another_url)

        with ThreadPoolExecutor(3) as threads:
            assert [False, False, True] == sorted(threads.map(upgrade, range(3)))

    def test_the_migrations_make_the_tables_that_the_statements_expect(self, store):
        with store.reading() as tx:
            context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
            assert [] == compare_metadata(context, metadata)

    def test_tables_of_a_newer_version_are_refused(self, url, store):
        with store.writing() as tx:
            tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'zzzz'")
        store.close()
        for attempt in (Store.open, migrate.upgrade, migrate.is_current):
            with pytest.raises(SchemaError, match="newer Scopekey"):
                attempt(url)
