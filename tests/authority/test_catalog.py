"""Applying catalog and rules: bits stay, nothing dangles, and only the machine may."""

from concurrent.futures import ThreadPoolExecutor

import msgspec

from scopekey.authority.catalog import applied, apply_catalog, apply_rules
from scopekey.core.catalog import Resource
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.wire.changes import catalog_digest
from tests.authority.home import CATALOG, RULES, refused


def with_(*names, without=()):
    """The catalog with further resources, or without some."""
    kept = tuple(resource for resource in CATALOG.resources if resource.name not in without)
    more = tuple(Resource(name, name.title(), "Data", ("read", "write")) for name in names)
    return msgspec.structs.replace(CATALOG, resources=more + kept, presets=())


def test_permissions_that_stay_keep_their_bits_and_keys_what_they_hold(either):
    issued = either.issue("datasets:read")
    before = either.index.register()
    register, place = apply_catalog(either.authority, either.machine, with_("apples"))
    assert before.bits == {name: bit for name, bit in register.bits.items() if not name.startswith("apples")}
    assert (register, place) == (either.index.register(), either.index.place())
    assert ["allowed", "missing_permission"] == [
        either.check(issued.secret, name) for name in ("datasets:read", "apples:read")
    ]


def test_a_permission_that_was_gone_and_comes_back_is_not_held_again(home):
    issued = home.issue("queries:read", "datasets:read")
    apply_catalog(home.authority, home.machine, with_(without=["queries"]))
    apply_catalog(home.authority, home.machine, CATALOG)
    assert ["missing_permission", "allowed"] == [
        home.check(issued.secret, name) for name in ("queries:read", "datasets:read")
    ]


def test_the_same_again_changes_nothing(home):
    position = home.position()
    register, place = apply_catalog(home.authority, home.machine, CATALOG)
    assert (home.index.register(), None) == (register, place)
    assert (None, position) == (apply_rules(home.authority, home.machine, RULES), home.position())


def test_rules_reach_every_verifier_and_leave_an_entry(home):
    rules = Rules((*RULES.rules, Rule(Operation.parse("GET /open"), None)))
    place = apply_rules(home.authority, home.machine, rules)
    assert (place, rules, "rules.apply", place.position) == (
        home.index.place(),
        home.index.rules(),
        home.entry().action,
        home.entry().position,
    )


def test_a_rule_that_needs_what_the_catalog_has_not_is_refused_from_both_sides(home):
    with refused("conflict", permission="jobs:read"):
        apply_catalog(home.authority, home.machine, with_(without=["jobs"]))
    dangling = Rules((Rule(Operation.parse("GET /x"), Requirement.all_of(with_("x").permission("x:read"))),))
    with refused("conflict", permission="x:read"):
        apply_rules(home.authority, home.machine, dangling)
    assert (catalog_digest(CATALOG), RULES) == (catalog_digest(home.index.register().catalog), home.index.rules())


def test_no_key_applies_a_catalog_or_rules_whatever_it_holds(home):
    by = home.caller(*home.index.register().bits, never_expires=True)
    for act in (
        lambda: apply_catalog(home.authority, by, msgspec.structs.replace(CATALOG, implies={"read": ("write",)})),
        lambda: apply_rules(home.authority, by, Rules()),
    ):
        with refused("exceeds_caller"):
            act()
    assert RULES == applied(home.authority, home.machine)[1]


def test_two_catalogs_at_once_never_give_one_bit_to_two_permissions(either):
    catalogs = [with_("apples"), with_("pears"), with_("plums")]
    with ThreadPoolExecutor(3) as threads:
        registers = [
            register
            for register, _ in threads.map(
                lambda catalog: apply_catalog(either.authority, either.machine, catalog), catalogs
            )
        ]
    new = [
        register.bits[f"{name}:read"] for register, name in zip(registers, ("apples", "pears", "plums"), strict=True)
    ]
    assert 3 == len(set(new))
