import msgspec
import pytest

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register, register
from scopekey.core.rules import Mode, Rules
from scopekey.insight.diff import Kind, differences, effects, widenings
from scopekey.insight.kinds_of_path import TooManyKindsError
from tests.insight.test_lint import rule

RESOURCES = (
    Resource("datasets", "Datasets", "Data", ("read", "write")),
    Resource("jobs", "Jobs", "Data", ("read", "write")),
)
REGISTER = Register.first(Catalog("small", RESOURCES))
READ, WRITE, BOTH = "datasets:read", "datasets:write", "datasets:read datasets:write"


def changed(old, new, was=REGISTER, now=REGISTER, **preflight):
    tables = Rules(tuple(old)), Rules(tuple(new), **preflight)
    return [one for one in differences(*tables, was, now) if one.kind is not Kind.SAME]


def kinds(old, new, **given):
    return {(one.kind, one.operation): one.widens for one in changed(old, new, **given)}


@pytest.mark.parametrize(
    ("kind", "widens", "before", "after"),
    [
        (Kind.WIDER, True, (BOTH,), (READ,)),
        (Kind.WIDER, True, (READ,), (READ, WRITE)),
        (Kind.WIDER, True, (), (READ,)),
        (Kind.WIDER, True, (READ,), ("",)),
        (Kind.NARROWER, False, (READ,), (BOTH,)),
        (Kind.NARROWER, False, (READ,), ()),
        (Kind.MOVED, True, (READ,), (WRITE,)),
        (Kind.PUBLIC, True, ("",), ("public",)),
        (Kind.GUARDED, False, ("public",), ("",)),
        (Kind.RECORDED, False, (READ,), (READ, BOTH)),
    ],
)
def test_an_operation_is_compared_by_who_passes(kind, widens, before, after):
    assert {(kind, "GET /a"): widens} == kinds([rule("GET /a", *before)], [rule("GET /a", *after)])


def test_the_names_of_parameters_and_the_order_are_no_difference():
    old = [rule("GET /a/{x}", READ, WRITE), rule("PUT /a", WRITE)]
    assert [] == changed(old, [rule("PUT /a", WRITE), rule("GET /a/{y}", WRITE, READ)])


def test_a_new_operation_widens_if_anybody_may_call_it():
    assert {(Kind.NEW, "GET /a"): True, (Kind.NEW, "GET /b"): False} == kinds(
        [], [rule("GET /a", READ), rule("GET /b")]
    )


def test_an_operation_that_is_gone_widens_nothing():
    assert {(Kind.GONE, "GET /a"): False} == kinds([rule("GET /a", READ)], [])


def test_a_new_template_takes_paths_from_a_wider_one():
    wide = rule("GET /a/{x}", WRITE)
    (found,) = changed([wide], [wide, rule("GET /a/b", READ)])
    assert (Kind.MOVED, "GET /a/b", "GET /a/b") == (found.kind, found.operation, found.example)
    assert ("GET /a/{x}", "GET /a/b") == (found.before.operation, found.after.operation)


def test_the_paths_of_a_removed_rule_fall_to_the_wider_one():
    wide = rule("GET /a/{x}", "public")
    assert {(Kind.PUBLIC, "GET /a/b"): True} == kinds([wide, rule("GET /a/b", READ)], [wide])


def test_a_crossing_template_that_is_removed_opens_the_paths_of_both():
    old = [rule("GET /a/{x}", READ), rule("GET /{x}/b", WRITE)]
    found = changed(old, old[:1])
    assert {("GET /x/b", False), ("GET /a/b", True)} == {(one.example.replace("y", "x"), one.widens) for one in found}


def test_a_head_that_is_removed_falls_to_the_get():
    get, head = rule("GET /a", "public"), rule("HEAD /a", READ)
    assert {(Kind.PUBLIC, "HEAD /a"): True} == kinds([get, head], [get])
    assert {} == kinds([get], [get])


def test_preflights_that_pass_are_a_widening_of_their_own():
    (found,) = changed([], [], cors_preflight=True)
    assert (Kind.NEW, True) == (found.kind, found.widens)


def test_a_rule_that_only_reports_lets_any_live_key_pass():
    enforced = rule("GET /a", READ)
    reported = msgspec.structs.replace(enforced, mode=Mode.REPORT)
    assert {(Kind.WIDER, "GET /a"): True} == kinds([enforced], [reported])
    assert {(Kind.RECORDED, "GET /a"): False} == kinds(
        [reported], [msgspec.structs.replace(reported, requirement=rule("GET /a", WRITE).requirement)]
    )


def test_a_catalog_that_implies_more_widens_what_needs_the_implied():
    implying = register(Catalog("small", RESOURCES, implies={"write": ("read",)}), REGISTER)
    table = [rule("GET /a", READ), rule("PUT /a", WRITE)]
    assert {(Kind.WIDER, "GET /a"): True} == kinds(table, table, now=implying)
    assert {(Kind.NARROWER, "GET /a"): False} == kinds(table, table, was=implying)


def test_a_new_level_that_implies_an_old_one_widens_nothing():
    resources = tuple(Resource(r.name, r.title, r.group, ("read", "write", "admin")) for r in RESOURCES)
    levels = ("read", "write", "admin")
    newer = register(Catalog("small", resources, levels=levels, implies={"admin": ("read",)}), REGISTER)
    assert {} == kinds([rule("GET /a", READ)], [rule("GET /a", READ)], now=newer)


def test_keys_gain_and_lose_what_changed_for_them():
    old, new = (
        Rules((rule("GET /a", READ), rule("GET /b", WRITE))),
        Rules((rule("GET /a", WRITE), rule("GET /b", WRITE))),
    )
    found = differences(old, new, REGISTER, REGISTER)
    keys = [
        ("reader", REGISTER.parse([READ])),
        ("writer", REGISTER.parse([WRITE])),
        ("both", REGISTER.parse([READ, WRITE])),
    ]
    told = effects(found, REGISTER, REGISTER, keys)
    assert [("reader", [], ["GET /a"]), ("writer", ["GET /a"], [])] == [
        (one.key, [gain.operation for gain in one.gains], [loss.operation for loss in one.loses]) for one in told
    ]
    assert [found[0]] == widenings(old, new, REGISTER, REGISTER)


def test_a_table_made_to_cross_in_all_ways_is_refused_at_once():
    paths = ("/".join("a" if at == place else f"{{x{at}}}" for at in range(18)) for place in range(18))
    table = Rules(tuple(rule(f"GET /{path}", READ) for path in paths))
    with pytest.raises(TooManyKindsError):
        differences(table, table, REGISTER, REGISTER)
