"""Overlap and difference against brute force: every path of a small world is tried."""

from itertools import product

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.core.grant import register as registered
from scopekey.core.matcher import Matcher
from scopekey.core.overlap import Templates, meet
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.core.target import Target, read_target
from scopekey.core.template import Template
from scopekey.insight.diff import Kind, Side, differences, effects, needs_of, widenings
from tests.laws import values
from tests.laws.test_matcher import matched, tables, templates

MANY = settings(max_examples=300, deadline=None)


@MANY
@given(templates(), templates())
def test_templates_overlap_if_and_only_if_a_path_matches_both_and_the_example_is_one(one, other):
    parsed = Template.parse(one), Template.parse(other)
    met = meet(*parsed)
    if met is None:
        assert not matched(one) & matched(other)
    else:
        assert Target(met.path) == read_target(Target(met.path).path.encode())
        for template in parsed:
            table = Rules((Rule(Operation("GET", template), None),))
            assert Matcher(table, values.PLAIN).match("GET", met.path)


@MANY
@given(st.lists(templates(), max_size=8))
def test_the_index_misses_no_overlap(texts):
    index, before = Templates(), []
    for text in texts:
        template = Template.parse(text)
        rivals = set(index.rivals(template))
        assert {at for at, other in enumerate(before) if meet(other, template)} <= rivals
        index.add(template)
        before.append(template)


REGISTERS = st.sampled_from([values.PLAIN, values.IMPLYING])


@st.composite
def two_tables(draw):
    """Two tables and their registers, with the same bits."""
    register, other = draw(REGISTERS), draw(REGISTERS)
    rows, more = draw(tables()), draw(tables())
    kept = [row for row in rows if draw(st.booleans())]
    return _rules(draw, rows), _rules(draw, [*kept, *more]), register, _same_bits(register, other)


def _rules(draw, rows):
    permission = values.PLAIN.catalog.permission
    found = {}
    for method, path, ways in rows:
        requirement = None if ways is None else Requirement(tuple(tuple(map(permission, names)) for names in ways))
        mode = draw(st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.REPORT]))
        rule = Rule(Operation.parse(f"{method} {path}"), requirement, mode=mode)
        found.setdefault((method, rule.operation.template.shape), rule)
    return Rules(tuple(found.values()), cors_preflight=draw(st.booleans()))


def _same_bits(register, other):
    return register if other is register else registered(other.catalog, register)


def _decisions(match, register):
    """Which grants of the platform pass."""
    passed = []
    for grant in GRANTS:
        if match is None:
            passed.append(False)
        elif match.need is None or match.report:
            passed.append(True)
        else:
            passed.append(match.need.satisfied(register.effective(grant)) is not None)
    return passed


GRANTS = [sum(1 << bit for bit in range(6) if number >> bit & 1) for number in range(64)]


def _side(match):
    return None if match is None else Side(str(match.operation), needs_of(match))


@settings(max_examples=60, deadline=None)
@given(two_tables())
def test_every_path_is_decided_as_one_of_the_differences_says(given):
    old, new, register, other = given
    matchers = Matcher(old, register), Matcher(new, other)
    paths = {path for rule in (*old.rules, *new.rules) for path in matched(rule.operation.template.text)}
    expected = {}
    for method, path in product(("GET", "HEAD", "PUT"), paths):
        was, now = (matcher.match(method, tuple(path[1:].split("/"))) for matcher in matchers)
        if (was or now) and (id(was), id(now)) not in expected:
            passed = zip(_decisions(was, register), _decisions(now, other), strict=True)
            opened = now is not None and now.need is None and (was is None or was.need is not None)
            expected[id(was), id(now)] = (_side(was), _side(now), opened or (False, True) in set(passed))
    told = [one for one in differences(*given) if not one.example.startswith("OPTIONS")]
    assert set(expected.values()) <= {(one.before, one.after, one.widens) for one in told}
    for one in told:
        method, target = one.example.split()
        segments = read_target(target.encode()).segments
        assert (one.before, one.after) == tuple(_side(matcher.match(method, segments)) for matcher in matchers)
    assert [one for one in differences(*given) if one.widens] == widenings(*given)


@settings(max_examples=100, deadline=None)
@given(two_tables(), st.sampled_from(GRANTS))
def test_a_key_gains_and_loses_what_it_is_said_to(given, grant):
    _, _, register, other = given
    found = differences(*given)
    gains = [
        one
        for one in found
        if not one.access[0].lets(register.effective(grant)) and one.access[1].lets(other.effective(grant))
    ]
    told = effects(found, register, other, [("k", grant)])
    assert gains == [one for effect in told for one in effect.gains]
    assert all(one.widens for one in gains)
    assert all(one.kind in {Kind.GONE, Kind.NARROWER, Kind.MOVED, Kind.GUARDED} for e in told for one in e.loses)


@settings(max_examples=50, deadline=None)
@given(two_tables())
def test_a_table_does_not_differ_from_itself(given):
    old, _, register, _ = given
    assert all(Kind.SAME is one.kind for one in differences(old, old, register, register))
    flipped = msgspec.structs.replace(old, rules=old.rules[::-1])
    assert not widenings(old, flipped, register, register)
