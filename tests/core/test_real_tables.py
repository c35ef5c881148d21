"""Every operation of two real platforms, decided for each grant that just suffices and for each that nearly does."""

import re
from collections import Counter
from functools import cache
from urllib.parse import quote

import pytest

from scopekey.core.decide import decide
from scopekey.core.decision import DenialReason
from scopekey.core.grant import Register
from scopekey.core.ids import key_id, organization_id
from scopekey.core.key import Key, Secret
from scopekey.core.matcher import Matcher
from scopekey.core.organization import Organization, Policy
from scopekey.core.permission import RESOURCE_NAME
from scopekey.core.target import read_target
from scopekey.wire.rules_file import read_rules, write_rules
from scopekey.wire.toml_file import FileError
from tests.core.published import REFERENCE, digitalocean, linode

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="needs ../shared/reference beside the repository")

PLATFORMS = {"linode": linode, "digitalocean": digitalocean}
ORGANIZATION = Organization(organization_id(bytes(16)), "Acme", policy=Policy(never_expires=True))
SECRET = Secret(bytes(32), "0" * 8)


class Table:
    """A platform's rules, compiled under a catalog that also has resources of nearly the same names."""

    def __init__(self, platform):
        self.platform = platform
        self.names = platform.used | platform.declared
        self.resources = {name.partition(":")[0] for name in self.names}
        self.lookalikes = frozenset(
            f"{other}:{name.partition(':')[2]}" for name in self.names for other in self._like(name.partition(":")[0])
        )
        self.register = Register.first(platform.catalog(self.names | self.lookalikes))
        self.matcher = Matcher(platform.rules(), self.register)

    def _like(self, resource):
        near = {f"{resource}s", f"{resource}_", f"my_{resource}", f"{resource}_{resource}", resource[:-1]}
        return {name for name in near - self.resources if RESOURCE_NAME.fullmatch(name)}

    def allows(self, operation, held):
        method, _, path = operation.partition(" ")
        target = quote(re.sub(r"\{[^}]+\}", "zz7", path), safe="/~.@:+=$,!*'()&_-").encode()
        found = self.matcher.match(method, read_target(target).segments)
        assert operation == str(found.operation)
        if found.need is None:
            return True
        holder = Key(key_id(bytes(16)), 1, ORGANIZATION.id, "live", (SECRET,), self.register.parse(held), 0)
        decision = decide(holder, SECRET, ORGANIZATION, found.need, register=self.register, now=0, address=None)
        assert decision or decision.reason is DenialReason.MISSING_PERMISSION
        return bool(decision)

    def brings(self, name):
        """A permission and what the platform says it includes, without the code under test."""
        resource, _, level = name.partition(":")
        return {name, *(f"{resource}:{lower}" for lower in self.platform.lower.get(level, ()))} & self.names

    def enough(self, any_of, held):
        effective = {brought for name in held for brought in self.brings(name)}
        return any(names <= effective for names in any_of)

    def minimal(self, any_of):
        """The grants of which nothing can be left out, made of what is published for the operation."""
        grants = {frozenset(n for n in names if not any(n in self.brings(m) for m in names - {n})) for names in any_of}
        return [grant for grant in grants if not any(other < grant for other in grants)]

    def opening(self, any_of):
        """Every permission that brings something the operation names."""
        named = frozenset().union(*any_of)
        return {name for name in self.names if self.brings(name) & named}


@cache
def table(name):
    return Table(PLATFORMS[name]())


def guarded(name):
    return [
        (operation, any_of) for operation, any_of in table(name).platform.rows if any_of and any_of != [frozenset()]
    ]


both = pytest.mark.parametrize("name", PLATFORMS)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("linode", {"public": 23, "any key": 9, "one": 350, "and": 8, "or": 0}),
        ("digitalocean", {"public": 1, "any key": 17, "one": 612, "and": 27, "or": 2}),
    ],
)
def test_the_tables_hold_every_kind_of_requirement_there_is(name, kinds):
    def kind(any_of):
        if any_of is None:
            return "public"
        return "or" if len(any_of) > 1 else ("any key", "one")[len(any_of[0])] if len(any_of[0]) < 2 else "and"

    found = Counter(kind(any_of) for _, any_of in table(name).platform.rows)
    assert kinds == {kind: found[kind] for kind in kinds}


@both
def test_what_is_public_or_names_no_permission_is_open_to_a_key_that_holds_nothing(name):
    for operation, any_of in table(name).platform.rows:
        assert (not any_of or any_of == [frozenset()]) is table(name).allows(operation, ())


@both
def test_each_minimal_grant_allows_and_one_permission_less_does_not(name):
    for operation, any_of in guarded(name):
        for grant in table(name).minimal(any_of):
            assert table(name).enough(any_of, grant)
            assert table(name).allows(operation, grant), (operation, grant)
            for less in grant:
                assert not table(name).allows(operation, grant - {less}), (operation, less)


@both
def test_one_level_lower_does_not_do_nor_do_all_the_levels_that_do_not_include_the_one_needed(name):
    for operation, any_of in guarded(name):
        for grant in table(name).minimal(any_of):
            for less in grant:
                mine = less.partition(":")[0] + ":"
                opening = table(name).opening(any_of)
                others = {n for n in table(name).names if n.startswith(mine)} - opening
                lower = (table(name).brings(less) - {less} - grant) | others
                held = (grant - {less}) | lower
                assert table(name).enough(any_of, held) is table(name).allows(operation, held), (operation, held)
                assert not table(name).allows(operation, held - opening), (operation, held)


@both
def test_the_same_level_on_every_other_resource_does_not_do(name):
    for operation, any_of in guarded(name):
        opening = table(name).opening(any_of)
        for grant in table(name).minimal(any_of):
            for less in grant:
                others = {n for n in table(name).names if n.endswith(":" + less.partition(":")[2])} - opening
                assert not table(name).allows(operation, (grant - {less}) | others), (operation, less)


@both
def test_every_permission_there_is_but_those_that_are_needed_does_not_do(name):
    for operation, any_of in guarded(name):
        assert not table(name).allows(operation, table(name).names - table(name).opening(any_of)), operation


@both
def test_resources_of_nearly_the_same_name_do_not_do(name):
    assert len(table(name).resources) < len(table(name).lookalikes)
    for operation, _ in guarded(name):
        assert not table(name).allows(operation, table(name).lookalikes), operation


@both
def test_the_preset_of_everything_opens_everything(name):
    everything = table(name).register.catalog.preset("*").permissions
    assert all(table(name).allows(operation, everything) for operation, _ in table(name).platform.rows)


def test_a_higher_level_of_linode_opens_what_the_lower_one_does_and_verbs_of_digitalocean_open_only_their_own():
    (low, _), (verb, _) = (
        next((operation, n) for operation, n in guarded(name) if n == [frozenset({wanted})])
        for name, wanted in (("linode", "domains:read_only"), ("digitalocean", "droplet:read"))
    )
    assert table("linode").allows(low, ["domains:read_write"])
    others = {name for name in table("digitalocean").names if name.startswith("droplet:")} - {"droplet:read"}
    assert {"droplet:create", "droplet:update", "droplet:delete"} == others
    assert not table("digitalocean").allows(verb, others)


def test_scopes_that_linode_uses_and_never_declared_are_each_found_with_their_line():
    platform = table("linode").platform
    text = write_rules(platform.rules())
    assert platform.rules() == read_rules(text, "rules.toml", platform.catalog(platform.declared | platform.used))
    with pytest.raises(FileError) as raised:
        read_rules(text, "rules.toml", platform.catalog(platform.declared))
    told = [re.fullmatch(r"rules.toml:(\d+): there is no permission '(.+?)'.*", str(f)) for f in raised.value.faults]
    lines = text.splitlines()
    assert all(match[2] in lines[int(match[1]) - 1] for match in told)
    assert platform.used - platform.declared == {match[2] for match in told}
    assert "ips:read" in {match[2] for match in told}
