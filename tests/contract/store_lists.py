"""How keys are found: pages, filters, and what is counted over them."""

import itertools

import msgspec

from scopekey.core.ids import OrganizationId, PepperId
from scopekey.core.key import Secret
from scopekey.core.organization import Organization, Policy
from scopekey.store.keys import KeyFilter
from tests.contract.store_made import (
    ACME,
    OTHER,
    PEPPER,
    add_key,
    key_row,
    list_names,
    names,
)


class Lists:
    """Keys are found by what is asked about them."""

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
