"""Rule 6: a key can grant only what it holds. No sequence of calls gives anyone more than they held.

The model knows nothing of how that is held up. A secret's *power* is a plain set of (permission,
address, day), asked of ``decide`` for every day to come. Whatever call a key makes, no secret in the
world may afterwards do what it could not before, unless the calling key itself could at that moment:
the same permission from the same address on the same day, in the same environment and organization.
Holding that for every step holds it for every sequence, back to what the machine gave.
"""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from scopekey.authority import edit_key, issue_key, rotate_key
from scopekey.authority.actor import Caller
from scopekey.authority.catalog import apply_catalog, apply_rules
from scopekey.core.catalog import Catalog, Resource
from scopekey.core.decide import decide
from scopekey.core.network import parse_address
from scopekey.core.problem import ProblemError
from scopekey.core.requirement import Requirement, need
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.replica.memory_index import MemoryIndex
from scopekey.store.engine import Store
from tests.authority.home import DAY, MANAGE, NOW, TENANTS, Home

RESOURCES = tuple(Resource(name, name.upper(), "Group", ("read", "write")) for name in ("a", "b"))
PLAIN = Catalog("plain", RESOURCES)
CATALOGS = [PLAIN, Catalog("implying", RESOURCES, implies={"write": ("read",)}), Catalog("less", RESOURCES[:1])]
RULES = [Rules(), Rules((Rule(Operation.parse("GET /a"), Requirement.all_of(PLAIN.permission("a:read"))),))]
PERMISSIONS = ("a:read", "a:write", "b:read", "b:write", MANAGE, TENANTS)
ADDRESSES = tuple(map(parse_address, ("10.1.2.3", "10.200.0.1", "203.0.113.1", "2001:db8::1")))
MORE = "a secret can do more than the key that called"
FAR = 100_000
DAYS = (*range(40), FAR)

OWN = ("a:read", "a:write", "b:read", MANAGE)
GIVEN = (
    (0, PERMISSIONS, {"never_expires": True}),
    (0, OWN, {"never_expires": True}),
    (0, ("a:read", "a:write", MANAGE, TENANTS), {"expires_in": "3d"}),
    (0, OWN, {"environment": "test", "expires_in": "12d"}),
    (1, OWN, {"allowed_networks": ["10.0.0.0/8"]}),
    (1, OWN, {"expires_in": "12d"}),
    (2, OWN, {"never_expires": True}),
)
"""What the machine gave before the search begins, so that calls really meet: organization, grant, limits."""

callers = st.integers(0, 1_000)
grants = st.lists(st.sampled_from(PERMISSIONS), max_size=4, unique=True)
managing = grants.map(lambda names: sorted({*names, MANAGE}))
environments = st.sampled_from(["live", "live", "test"])
networks = st.sampled_from(
    [[], [], [], ["10.0.0.0/8"], ["10.1.0.0/16"], ["0.0.0.0/0"], ["10.0.0.0/9", "10.128.0.0/9"], ["2001:db8::/32"]]
)
lifetimes = st.sampled_from(
    [{}, {}, {"expires_in": "1d"}, {"expires_in": "3d"}, {"expires_in": "12d"}, {"never_expires": True}]
)
twists = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries({"environment": environments}),
    st.fixed_dictionaries({"allowed_networks": networks}),
    lifetimes,
)
overlaps = st.sampled_from(["0s", "1d", "4d"])
policies = st.builds(
    lambda cap, never: {"never_expires": never, **({"max_key_age": cap} if cap else {})},
    st.sampled_from([None, "2d", "7d", "20d"]),
    st.booleans(),
)


@pytest.fixture(scope="module", autouse=True)
def template(tmp_path_factory):
    """The file of a store with two tenants and without keys that anybody knows."""
    path = tmp_path_factory.mktemp("template") / "scopekey.db"
    home = Home(Store.open(f"sqlite:///{path}"), MemoryIndex(), seed=1)
    home.begin(PLAIN)
    tenants = [home.tenant("A"), home.tenant("B", never_expires=True)]
    home.store.close()
    World.path, World.tenants = path, tenants


class World(RuleBasedStateMachine):
    """Keys that call whatever they can, over a copy of a store."""

    path, tenants = None, ()

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="scopekey-law-"))
        shutil.copy(self.path, self.folder / "scopekey.db")
        self.home = Home(Store.open(f"sqlite:///{self.folder / 'scopekey.db'}"), MemoryIndex(), seed=2)
        self.home.catch_up()
        self.organizations = [self.home.key(self.home.caller("a:read").id).organization, *self.tenants]
        self.keys = []
        self.powers = {}
        for where, grant, asked in GIVEN:
            self.keys.append(self.home.issue(*grant, organization=self.organizations[where], **asked).key.id)

    def teardown(self):
        if hasattr(self, "home"):
            self.home.store.close()
            shutil.rmtree(self.folder)

    # What the machine gives is the only way in.

    @rule(grant=managing, where=st.integers(0, 2), environment=environments, networks=networks, life=lifetimes)
    def the_machine_issues(self, grant, where, environment, networks, life):
        if where:
            grant = [name for name in grant if name != TENANTS]
        self.by_the_machine(
            lambda: self.keys.append(
                self.home.issue(
                    *grant,
                    organization=self.organizations[where],
                    environment=environment,
                    allowed_networks=networks,
                    **life,
                ).key.id
            )
        )

    @rule(catalog=st.sampled_from(CATALOGS), rules=st.sampled_from(RULES))
    def the_machine_applies(self, catalog, rules):
        self.by_the_machine(lambda: apply_rules(self.home.authority, self.home.machine, rules, allow_widening=True))
        self.by_the_machine(lambda: apply_catalog(self.home.authority, self.home.machine, catalog, allow_widening=True))

    @rule(where=st.integers(0, 2), policy=policies)
    def the_machine_sets_a_policy(self, where, policy):
        self.by_the_machine(lambda: self.home.edit_tenant(self.organizations[where], policy=policy))

    @rule(days=st.integers(1, 3))
    def time_passes(self, days):
        self.home.now += days * DAY

    # Everything else is called with a key.

    @rule(who=callers, grant=st.none() | grants, twist=twists, where=st.sampled_from([None, None, 0, 1, 2]))
    def a_key_issues(self, who, grant, twist, where):
        """One like itself but for a twist, as asking at random would seldom succeed."""
        mine = self.home.key(self.pick(who))
        asked = {"allowed_networks": [str(network) for network in mine.networks], **twist}
        if where is not None:
            asked["organization"] = self.organizations[where]
        with self.called_by(who) as by:
            self.keys.append(self.home.issue(*(self.names(mine) if grant is None else grant), by=by, **asked).key.id)

    @rule(
        who=callers,
        whom=callers,
        flip=st.none() | st.sampled_from(PERMISSIONS),
        networks=st.none() | networks,
        life=lifetimes,
    )
    def a_key_edits(self, who, whom, flip, networks, life):
        names = None if flip is None else sorted({*self.names(self.home.key(self.pick(whom)))} ^ {flip})
        with self.called_by(who) as by:
            self.home.edit(self.pick(whom), by=by, permissions=names, allowed_networks=networks, **life)

    @rule(who=callers, whom=callers, overlap=overlaps, replace=st.sampled_from([None, "old", "new"]))
    def a_key_rotates(self, who, whom, overlap, replace):
        with self.called_by(who) as by:
            self.home.rotate(self.pick(whom), by=by, overlap=overlap, replace=replace)

    @precondition(lambda self: len(self.keys) > 9)
    @rule(who=callers, whom=callers)
    def a_key_revokes(self, who, whom):
        with self.called_by(who) as by:
            self.home.revoke(self.pick(whom), by=by)

    @rule(who=callers, where=st.integers(0, 2), policy=policies)
    def a_key_sets_a_policy(self, who, where, policy):
        # A policy is a limit the operator sets, not something a key holds: only its end must cover.
        with self.called_by(who, policy=True) as by:
            self.home.edit_tenant(self.organizations[where], by=by, policy=policy)

    @rule(who=callers, catalog=st.sampled_from(CATALOGS))
    def a_key_applies_a_catalog(self, who, catalog):
        with self.called_by(who) as by:
            apply_catalog(self.home.authority, by, catalog)

    # The model

    def names(self, key):
        return self.home.index.register().names(key.grant)

    def pick(self, number):
        return self.keys[number % len(self.keys)]

    def by_the_machine(self, act):
        try:
            act()
        except ProblemError as error:
            assert error.problem.code in {"conflict", "invalid_request", "unknown_permission"}  # noqa: PT017

    @contextmanager
    def called_by(self, who, *, policy=False):
        caller = self.pick(who)
        before = self.all_powers()
        mine = self.ceiling(caller)
        try:
            yield Caller("key", caller)
        except ProblemError:
            assert before == self.all_powers()
            return
        assert mine, "a call succeeded with a key that is not live"
        for (key_id, number), power in self.all_powers().items():
            gained = {step for step in power - before.get((key_id, number), frozenset()) if self.lies_ahead(step)}
            if policy:
                gained = {step for step in gained if step[2] not in {day for _, _, day in mine}}
                assert not gained, MORE
            elif gained:
                assert gained <= mine, MORE
                self.same_place(caller, key_id, before)

    def same_place(self, caller, key_id, before):
        mine, theirs = self.home.key(caller), self.home.key(key_id)
        assert mine.environment == theirs.environment, MORE
        if mine.organization != theirs.organization:
            assert self.organizations[0] == mine.organization, MORE
            held = {name for (owner, _), power in before.items() if owner == caller for name, _, _ in power}
            assert TENANTS in held, MORE

    def ceiling(self, key_id):
        """What a key can do: the power of its newest secret, and of being alive."""
        key = self.home.key(key_id)
        newest = max(secret.number for secret in key.secrets)
        return {step for step in self.power(key, newest) if self.lies_ahead(step)}

    def lies_ahead(self, step):
        return NOW + step[2] * DAY >= self.home.now

    def all_powers(self):
        with self.home.store.reading() as tx:
            keys = tx.keys.many(self.keys).values()
        return {(key.id, secret.number): self.power(key, secret.number) for key in keys for secret in key.secrets}

    def power(self, key, number):
        register = self.home.index.register()
        organization = self.home.index.organization(key.organization)
        known = (key.id, key.version, number, organization.version, self.home.index.now().epoch)
        if known not in self.powers:
            secret = next(secret for secret in key.secrets if secret.number == number)
            self.powers[known] = frozenset(
                (str(name), address, day)
                for name, wanted in wants(register)
                for address in ADDRESSES
                for day in DAYS
                if decide(key, secret, organization, wanted, register=register, now=NOW + day * DAY, address=address)
            )
        return self.powers[known]


def wants(register):
    """A need for each permission there is, and one that any live key meets."""
    catalog = register.catalog
    names = [catalog.permissions[name] for name in PERMISSIONS if name in catalog.permissions]
    return [("alive", need(Requirement.all_of(), register))] + [
        (name, need(Requirement.all_of(name), register)) for name in names
    ]


def budget(examples, **more):
    """Without the phase that explains: it traces every line, and that takes minutes."""
    return settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        **more,
    )


def test_no_sequence_of_calls_gives_anyone_more_than_they_held():
    run_state_machine_as_test(World, settings=budget(60))


def test_without_the_check_the_search_finds_an_escalation(monkeypatch):
    for module in (issue_key, edit_key, rotate_key):
        monkeypatch.setattr(module, "refuse_escalation", lambda *_: None)
    once = settings(budget(40, derandomize=True), phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError, match=MORE):
        run_state_machine_as_test(World, settings=once)
