"""A control plane to try things on: a real store, a real index, a clock that stands still and seeded randomness."""

from contextlib import contextmanager
from random import Random

import pytest

from scopekey.authority.actor import Caller
from scopekey.authority.apply_changes import catch_up
from scopekey.authority.edit_key import edit_key
from scopekey.authority.initialize import Beginning, initialize
from scopekey.authority.issue_key import issue_key
from scopekey.authority.organizations import create_organization, edit_organization
from scopekey.authority.revoke_key import revoke_key
from scopekey.authority.rotate_key import rotate_key
from scopekey.authority.seal_log import LogSealer
from scopekey.authority.unit_of_work import Authority
from scopekey.core.catalog import Catalog, Preset, Resource
from scopekey.core.decide import decide
from scopekey.core.digest import Pepper
from scopekey.core.keyformat import KeyFormat
from scopekey.core.network import parse_address
from scopekey.core.problem import ProblemError
from scopekey.core.requirement import Requirement, need
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.wire.resources import CreateKey, CreateOrganization, EditKey, EditOrganization, RevokeKey, RotateKey

DAY = 86_400_000
HOUR = 3_600_000
NOW = 1_800_000_000_000
PEPPER = b"p" * 32
SEED = b"s" * 32
MANAGE = "scopekey_keys:write"
TENANTS = "scopekey_organizations:write"
CATALOG = Catalog(
    "platform",
    tuple(Resource(name, name.title(), "Data", ("read", "write")) for name in ("datasets", "queries", "jobs")),
    presets=(Preset("analytics", "Analytics", ("datasets:read", "queries:read")),),
)
RULES = Rules((Rule(Operation.parse("GET /jobs"), Requirement.all_of(CATALOG.permission("jobs:read"))),))


class Home:
    """An authority with shorter words for what the tests say often. Without a caller the machine acts.

    Two homes on one store need two seeds: from the same one they would make the same ids.
    """

    machine = Caller.machine("req_machine")

    def __init__(self, store, index, seed=7):
        self.store, self.index, self.now = store, index, NOW
        self.authority = Authority(
            store, index, KeyFormat(), Pepper(PEPPER), 90 * DAY, clock=lambda: self.now, random=Random(seed).randbytes
        )

    def begin(self, catalog=CATALOG):
        """Initialise the store; gives the first key's printed form."""
        rules = RULES if catalog is CATALOG else Rules()
        return initialize(self.authority, Beginning(catalog, rules, "0a0b0c0d"))

    def catch_up(self):
        """Bring the index level with the store."""
        return catch_up(self.store, self.index)

    def issue(self, *permissions, by=machine, again=None, **asked):
        """Issue a key with these permissions."""
        if "preset" not in asked:
            asked.setdefault("permissions", list(permissions))
        return issue_key(self.authority, by, CreateKey(**{"name": "a key", **asked}), idempotency_key=again)[0]

    def caller(self, *permissions, **asked):
        """Issue a key, and call with it."""
        return Caller("key", self.issue(*permissions, **asked).key.id, "req_key", "10.1.2.3")

    def edit(self, key_id, by=machine, version=None, **asked):
        """Edit a key."""
        return edit_key(self.authority, by, key_id, EditKey(**asked), version=version)[0]

    def rotate(self, key_id, by=machine, again=None, version=None, **asked):
        """Rotate a key."""
        body = RotateKey(**asked)
        return rotate_key(self.authority, by, key_id, body, version=version, idempotency_key=again)[0]

    def revoke(self, key_id, by=machine, reason="other", **asked):
        """Revoke a key."""
        return revoke_key(self.authority, by, key_id, RevokeKey(reason=reason, **asked))[0]

    def tenant(self, name="Acme", by=machine, **policy):
        """Make an organization; gives its id."""
        return create_organization(self.authority, by, CreateOrganization(name=name, policy=policy))[0].id

    def edit_tenant(self, identity, by=machine, version=None, **asked):
        """Edit an organization."""
        return edit_organization(self.authority, by, identity, EditOrganization(**asked), version=version)[0]

    def check(self, printed, permission, address=None):
        """Decide as a verifier over the index: `allowed`, or the code of the refusal."""
        parsed = self.authority.key_format.parse(printed)
        key = self.index.key(parsed.key_id)
        register = self.index.register()
        decision = decide(
            key,
            key and key.match(self.authority.pepper.digest(printed)),
            key and self.index.organization(key.organization),
            need(Requirement.all_of(register.catalog.permission(permission)), register),
            register=register,
            now=self.now,
            address=address and parse_address(address),
        )
        return "allowed" if decision else str(decision.reason)

    def seal(self):
        """Let the log number what arrived."""
        return LogSealer(self.store, seed=SEED, clock=lambda: self.now)()

    def entry(self):
        """The newest audit entry."""
        return self.entries(1)[0].entry

    def entries(self, limit=1_000):
        """The newest audit entries."""
        with self.store.reading() as tx:
            return tx.entries.newest(limit)

    def key(self, key_id):
        """A key as the store has it."""
        with self.store.reading() as tx:
            return tx.keys.get(key_id).key

    def position(self):
        """The store's position in its feed."""
        with self.store.reading() as tx:
            return tx.changes.place().position


@contextmanager
def refused(code, **fields):
    """Expect that something is refused as this problem, with these members among others."""
    with pytest.raises(ProblemError) as caught:
        yield caught
    assert (code, fields) == (caught.value.problem.code, {name: caught.value.fields.get(name) for name in fields})
