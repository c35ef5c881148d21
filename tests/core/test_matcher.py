import pytest

from scopekey.core import matcher
from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules

REGISTER = Register.first(Catalog("p", (Resource("a", "A", "G", ("read", "write")),)))


def rule(operation, *names, **parts):
    return Rule(Operation.parse(operation), Requirement.all_of(*map(REGISTER.catalog.permission, names)), **parts)


def match(path, *rules):
    return Matcher(Rules(rules), REGISTER).match("GET", tuple(path[1:].split("/")))


# A loaded table has no such pairs (they are faults), but an application's own may: nothing may hide behind the order.
@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("/x/1", rule("GET /x/{a}", "a:read", object="a"), rule("GET /x/{b}", "a:write", object="b")),
        ("/x", rule("GET /x", "a:read"), rule("GET /%78", "a:write")),
    ],
)
def test_two_rules_for_one_operation_both_apply_in_either_order(path, one, other):
    found = match(path, one, other)
    assert found == match(path, other, one)
    assert {"a:read", "a:write"} == set(found.need.requirement.names()[0])


def test_a_permission_the_catalog_does_not_have_is_found_when_the_table_is_compiled():
    gone = Rule(Operation.parse("GET /x"), Requirement(((REGISTER.catalog.permission("a:write"),),)))
    smaller = Register.first(Catalog("p", (Resource("a", "A", "G", ("read",)),)))
    with pytest.raises(KeyError):
        Matcher(Rules((gone,)), smaller)


def test_many_combinations_of_rules_do_not_grow_memory(monkeypatch):
    monkeypatch.setattr(matcher, "_MOST_MATCHES", 4)
    crossing = [rule(f"GET /{{a}}{letter}{{b}}", "a:read") for letter in "uvwxyz"]
    compiled = Matcher(Rules(tuple(crossing)), REGISTER)
    for path in ("1u1", "1u1v1", "1u1v1w1", "1x1y1", "1x1z1", "1u1z1"):
        assert compiled.match("GET", (path,)) is not None
    assert 4 >= len(compiled._matches)
