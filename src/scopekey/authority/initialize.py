"""The first act: the operator, the catalog, the rules and the first key, in one transaction."""

from typing import Any

import msgspec

from scopekey.audit.entry import NONCE_SIZE, Entry, Who, canonical
from scopekey.authority.apply_changes import catch_up
from scopekey.authority.catalog import refuse_dangling
from scopekey.authority.key_answer import key_record
from scopekey.authority.organizations import organization_record
from scopekey.authority.unit_of_work import Authority
from scopekey.core.catalog import Catalog
from scopekey.core.change import MARK_SIZE
from scopekey.core.grant import Register
from scopekey.core.ids import key_id, organization_id
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization, Policy
from scopekey.core.rules import Rules
from scopekey.store.keys import KeyRow
from scopekey.store.transaction import Transaction
from scopekey.wire.changes import catalog_digest, rules_digest

FEED_ID, PEPPER_ID, SIGNING_KEY_ID = "feed_id", "pepper_id", "signing_key_id"
MACHINE = Who("machine", "home")


class AlreadyInitialisedError(Exception):
    """The store belongs to a deployment already."""


class Beginning(msgspec.Struct, frozen=True):
    """What a deployment begins with."""

    catalog: Catalog
    rules: Rules
    signing_key_id: str
    operator: str = "Operator"
    key_name: str = "First key"


def initialize(authority: Authority, beginning: Beginning) -> str:
    """Fill an empty store, and give the first key's printed form, which exists nowhere else.

    The key holds every permission there is and never ends. Raises AlreadyInitialisedError.
    """
    now = authority.clock()
    refuse_dangling(beginning.rules, beginning.catalog)
    with authority.store.writing() as tx:
        if tx.meta.get(FEED_ID) is not None:
            raise AlreadyInitialisedError("the store was initialised before: use its pepper and signing key")
        _write_meta(authority, tx, beginning)
        register = Register.first(beginning.catalog)
        operator = Organization(
            organization_id(authority.random(16)), beginning.operator, operator=True, policy=Policy(None, True)
        )
        row, printed = _first_key(authority, beginning, operator, register, now)
        tx.documents.put("catalog", register, now)
        tx.documents.put("rules", beginning.rules, now)
        tx.organizations.insert(operator, now)
        tx.keys.insert(row)
        _announce(authority, tx, operator, row, register=register, rules=beginning.rules, now=now)
    catch_up(authority.store, authority.index, clock=authority.clock)
    return printed


def _write_meta(authority: Authority, tx: Transaction, beginning: Beginning) -> None:
    tx.meta.set(FEED_ID, authority.random(MARK_SIZE).hex())
    tx.meta.set(PEPPER_ID, authority.pepper.id)
    tx.meta.set(SIGNING_KEY_ID, beginning.signing_key_id)


def _first_key(
    authority: Authority, beginning: Beginning, operator: Organization, register: Register, now: int
) -> tuple[KeyRow, str]:
    environment = authority.key_format.environments[0]
    identity = key_id(authority.random(16))
    printed = authority.key_format.print(environment, identity, authority.random(32))
    secret = Secret(authority.pepper.digest(printed), authority.pepper.id)
    key = Key(identity, 1, operator.id, environment, (secret,), register.all, now)
    granted = dict.fromkeys(sorted(register.bits.values()), now)
    return KeyRow(key, beginning.key_name, {}, MACHINE, granted_at=granted, secret_created={1: now}), printed


def _announce(
    authority: Authority,
    tx: Transaction,
    operator: Organization,
    row: KeyRow,
    *,
    register: Register,
    rules: Rules,
    now: int,
) -> None:
    begun: list[tuple[str, str, str, dict[str, Any]]] = [
        ("catalog", "catalog", "catalog.apply", {"digest": catalog_digest(register.catalog)}),
        ("rules", "rules", "rules.apply", {"digest": rules_digest(rules)}),
        ("organization", operator.id, "organization.create", organization_record(operator)),
        ("key", row.key.id, "key.issue", key_record(row, register)),
    ]
    subjects = [(kind, subject) for kind, subject, _, _ in begun]
    positions = tx.changes.announce(subjects, [authority.random(MARK_SIZE) for _ in subjects], now)
    entries = []
    for (kind, subject, action, after), position in zip(begun, positions, strict=True):
        entry = Entry(
            nonce=authority.random(NONCE_SIZE).hex(),
            at=now,
            kind="change",
            actor=MACHINE,
            action=action,
            object=subject,
            organization=operator.id if kind in {"organization", "key"} else None,
            key=row.key.id if kind == "key" else None,
            position=position,
            after=after,
        )
        entries.append(canonical(entry))
    tx.entries.append(entries)
