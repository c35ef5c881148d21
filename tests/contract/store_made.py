"""What is put into a store in the tests of stores, and how."""

from scopekey.audit.entry import Who
from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization, Policy
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.store.keys import KeyFilter, KeyRow

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
