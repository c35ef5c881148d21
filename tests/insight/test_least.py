from itertools import combinations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.matcher import Matcher
from scopekey.core.permission import Permission
from scopekey.core.reach import reach
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.insight.least import Call, least

NAMES = ("a:read", "a:write", "b:read", "b:write", "c:read", "c:write")


def register_of(implies):
    resources = tuple(Resource(name, name, "", ("read", "write")) for name in "abc")
    return Register.first(Catalog("small", resources, implies=implies))


def rules_of(requirements):
    parsed = [
        Requirement(tuple(tuple(Permission.parse(name) for name in alternative) for alternative in alternatives))
        for alternatives in requirements
    ]
    return Rules(tuple(Rule(Operation.parse(f"GET /{at}"), requirement) for at, requirement in enumerate(parsed)))


def found(requirements, implies, wanted):
    register, rules = register_of(implies), rules_of(requirements)
    matcher = Matcher(rules, register)
    calls = [Call(f"GET /{at}", matcher.match("GET", (str(at),))) for at in wanted]
    return least(rules, register, calls), register, rules


def by_brute_force(register, rules, wanted):
    """Try every grant, smallest first: (size, opened operations, names) of the best."""
    needed = [rules.rules[at].requirement for at in wanted if rules.rules[at].requirement.any_of]
    for size in range(len(NAMES) + 1):
        best = []
        for names in combinations(NAMES, size):
            held = set(register.names(register.effective(register.parse(names))))
            if all(any({str(p) for p in way} <= held for way in requirement.any_of) for requirement in needed):
                best.append((len(reach(rules, register, register.parse(names)).open), names))
        if best:
            return size, *min(best)
    raise AssertionError("everything together opens everything")


alternatives = st.lists(st.lists(st.sampled_from(NAMES), max_size=3, unique=True), max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    requirements=st.lists(alternatives, min_size=1, max_size=6),
    implies=st.sampled_from([{}, {"write": ("read",)}]),
    data=st.data(),
)
def test_no_grant_is_smaller_and_of_the_smallest_none_opens_less(requirements, implies, data):
    wanted = data.draw(st.lists(st.integers(0, len(requirements) - 1), unique=True))
    answer, register, rules = found(requirements, implies, wanted)
    size, opened, _ = by_brute_force(register, rules, wanted)
    assert (size, opened) == (len(answer.permissions), answer.opened)


@settings(max_examples=100, deadline=None)
@given(requirements=st.lists(alternatives, min_size=1, max_size=6))
def test_every_permission_of_it_has_a_call_that_would_be_refused_without_it(requirements):
    answer, _, _ = found(requirements, {}, range(len(requirements)))
    assert all(reason.calls for reason in answer.reasons)


def test_an_alternative_that_another_call_needs_anyway_is_chosen():
    answer, _, _ = found([[["a:read"], ["b:write"]], [["b:write"]]], {}, [0, 1])
    assert ["b:write"] == [str(permission) for permission in answer.permissions]
    assert ("GET /0", "GET /1") == answer.reasons[0].calls


def test_of_two_equally_small_grants_the_one_that_opens_less_is_chosen():
    answer, _, _ = found([[["a:write"], ["b:read"]], [["a:write"]], [["a:write"]]], {}, [0])
    assert ["b:read"] == [str(permission) for permission in answer.permissions]


@pytest.mark.parametrize("wanted", [(), (0,)])
def test_public_and_closed_calls_are_named_and_need_nothing(wanted):
    register = register_of({})
    rules = Rules((Rule(Operation.parse("GET /open"), None), Rule(Operation.parse("GET /shut"), Requirement(()))))
    matcher = Matcher(rules, register)
    calls = [Call(f"GET /{name}", matcher.match("GET", (name,))) for name in ("open", "shut", "unlisted")]
    answer = least(rules, register, calls)
    assert ((), ("GET /open",), ("GET /shut", "GET /unlisted")) == (answer.reasons, answer.public, answer.closed)
