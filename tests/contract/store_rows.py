"""What a store keeps: keys, organizations, documents, entries, repeated calls, journals."""

# ruff: noqa: PT012 - a transaction is a block of statements, and its end may be what is refused

from ipaddress import ip_network

import msgspec
import pytest

from scopekey.audit.entry import Entry, Who, canonical
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization, Policy
from scopekey.core.rules import Rules
from scopekey.store.errors import (
    DuplicateError,
    StoreError,
    StoreUnavailableError,
    VersionConflictError,
)
from scopekey.store.keys import KeyFilter, KeyRow
from scopekey.wire.changes import catalog_digest
from tests.contract.store_made import (
    ACME,
    CATALOG,
    OTHER,
    PEPPER,
    RULES,
    add_key,
    announce,
    give_up,
    key_row,
    list_names,
)


class Rows:
    """What was put comes back, and what cannot be kept is refused."""

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
            tx.entries.append([canonical(entry) for entry in written])
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
