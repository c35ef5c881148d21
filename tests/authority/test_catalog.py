"""Applying catalog and rules: bits stay, nothing dangles, and only the machine may."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from scopekey.authority.catalog import applied, apply_catalog, apply_rules
from scopekey.authority.holders import holders
from scopekey.core.catalog import Resource
from scopekey.core.problem import ProblemError
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
    apply_catalog(home.authority, home.machine, CATALOG, allow_widening=True)
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
    place = apply_rules(home.authority, home.machine, rules, allow_widening=True)
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


def widened(refused_call):
    with pytest.raises(ProblemError) as said:
        refused_call()
    assert "conflict" == said.value.problem.code
    return said.value.fields["widened"]


def rules_of(**requirements):
    """Rules for `GET /name`: the permissions it needs, None where it is public."""
    return Rules(
        tuple(
            Rule(
                Operation.parse(f"GET /{name}"),
                None if names is None else Requirement.all_of(*(CATALOG.permission(one) for one in names)),
            )
            for name, names in requirements.items()
        )
    )


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"jobs": None}, "GET /jobs: public now"),
        ({"jobs": ()}, "GET /jobs: wider"),
        ({"jobs": ("datasets:read",)}, "GET /jobs: moved"),
        ({"jobs": ("jobs:read",), "open": None}, "GET /open: new: unlisted -> public"),
    ],
)
def test_rules_that_widen_are_refused_until_that_is_allowed_and_say_what_they_open(home, after, told):
    rules, before = rules_of(**after), home.position()
    (said,) = widened(lambda: apply_rules(home.authority, home.machine, rules))
    assert said.startswith(told)
    assert before == home.position()
    apply_rules(home.authority, home.machine, rules, allow_widening=True)
    assert before + 1 == home.position()


@pytest.mark.parametrize(
    "after", [{}, {"jobs": ("jobs:read", "jobs:write")}, {"jobs": ("jobs:read",), "more": ("datasets:read",)}]
)
def test_narrower_rules_and_new_guarded_operations_need_no_leave(home, after):
    assert apply_rules(home.authority, home.machine, rules_of(**after)) is not None


def test_a_catalog_that_implies_more_says_what_is_brought_along_and_which_operation_opens(home):
    catalog = msgspec.structs.replace(CATALOG, implies={"write": ("read",)})
    said = widened(lambda: apply_catalog(home.authority, home.machine, catalog))
    assert "jobs:write brings jobs:read along" in said
    assert any(one.startswith("GET /jobs: wider") for one in said)


def test_an_alias_for_scopekeys_own_says_what_it_lets_its_holders_manage(home):
    catalog = msgspec.structs.replace(CATALOG, own={"keys": "queries"})
    said = widened(lambda: apply_catalog(home.authority, home.machine, catalog))
    assert "queries guards scopekey_keys too: whoever holds it manages those" in said


def test_a_permission_that_comes_back_is_told(home):
    apply_catalog(home.authority, home.machine, with_(without=["queries"]))
    said = widened(lambda: apply_catalog(home.authority, home.machine, CATALOG))
    assert "queries:read comes back: it gets a new bit, which no key holds" in said


def test_the_holders_of_a_permission_that_would_be_gone_are_named(home):
    held, other = home.issue("queries:read").key.id, home.issue("datasets:read").key.id
    found = holders(home.authority, home.machine, ["queries:read", "queries:write"])
    assert held in found["queries:read"]
    assert other not in found["queries:read"]
