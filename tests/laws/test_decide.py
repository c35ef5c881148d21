import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.core.decide import decide
from scopekey.core.network import covers
from scopekey.core.reach import reach
from scopekey.core.requirement import Requirement, need
from scopekey.core.rules import Operation, Rule, Rules
from tests.laws import values

few = settings(max_examples=150, deadline=None)
LIVE = {"expires": None, "networks": (), "revoked": None, "probation": 0, "probation_ends": None}


def call(key, register, requirement, *, organization=values.ORGANIZATION, now=values.NOW, address=None):
    wanted = None if requirement is None else need(requirement, register)
    return decide(key, values.SECRET, organization, wanted, register=register, now=now, address=address)


@st.composite
def calls(draw):
    register = draw(values.registers)
    return {
        "key": draw(values.keys(register)),
        "register": register,
        "requirement": draw(values.requirements(register)),
        "organization": draw(values.organizations),
        "now": draw(values.times),
        "address": draw(values.addresses),
    }


@st.composite
def narrowed(draw, key, register):
    """A key that was narrowed: fewer permissions, an earlier end, fewer networks, a probation more."""
    grant = key.grant & register.parse(draw(values.grants(register)))
    expires = key.expires
    networks = key.networks
    if draw(st.booleans()):
        end = draw(values.times)
        expires = end if expires is None else min(end, expires)
    inside = [network for network in values.NETWORKS if covers(key.networks, (network,))]
    if draw(st.booleans()) and inside:
        networks = (draw(st.sampled_from(inside)),)
    narrower = msgspec.structs.replace(key, grant=grant, expires=expires, networks=networks)
    if not key.probation and draw(st.booleans()):
        lost = register.parse(draw(values.grants(register)))
        return msgspec.structs.replace(narrower, probation=lost, probation_ends=draw(values.times))
    return narrower


@few
@given(calls(), st.data())
def test_whatever_a_narrowed_key_may_do_the_key_it_came_from_could_do(made, data):
    narrow = data.draw(narrowed(made["key"], made["register"]))
    if call(**{**made, "key": narrow}):
        assert call(**made)


@few
@given(calls(), st.data())
def test_adding_a_permission_never_takes_anything_away(made, data):
    register, key = made["register"], made["key"]
    more = register.parse(data.draw(values.grants(register)))
    if call(**made):
        assert call(**{**made, "key": msgspec.structs.replace(key, grant=key.grant | more)})


@few
@given(calls(), st.data())
def test_the_order_of_alternatives_and_of_their_permissions_never_matters(made, data):
    shuffled = [data.draw(st.permutations(alternative)) for alternative in made["requirement"].any_of]
    other = Requirement(tuple(map(tuple, data.draw(st.permutations(shuffled)))))
    assert bool(call(**made)) is bool(call(**{**made, "requirement": other}))


@few
@given(values.grants(values.PLAIN), values.requirements(values.PLAIN), st.data())
def test_a_decision_is_what_plain_sets_of_names_say(names, requirement, data):
    order = data.draw(st.permutations(sorted(names)))
    key = msgspec.structs.replace(data.draw(values.keys(values.PLAIN)), **LIVE, grant=values.PLAIN.parse(order))
    decision = call(key, values.PLAIN, requirement)
    alternatives = [frozenset(alternative) for alternative in requirement.names()]
    assert any(alternative <= names for alternative in alternatives) is bool(decision)
    if not decision:
        fewest = min((len(alternative - names) for alternative in alternatives), default=0)
        missing = frozenset(map(str, decision.missing))
        assert fewest == len(missing)
        assert not alternatives or any(alternative <= names | missing for alternative in alternatives)
        assert not missing & names


@given(st.sampled_from(values.platform(values.PLAIN)), st.sampled_from(values.platform(values.PLAIN)))
def test_one_permission_opens_itself_and_nothing_else(held, wanted):
    requirement = Requirement.all_of(values.PLAIN.catalog.permission(wanted))
    satisfied = need(requirement, values.PLAIN).satisfied(values.PLAIN.effective(values.PLAIN.parse([held])))
    assert (held == wanted) is (satisfied is not None)


@few
@given(calls())
def test_nothing_is_allowed_to_a_key_that_is_revoked_ended_or_elsewhere(made):
    key, organization, now = made["key"], made["organization"], made["now"]
    ends = key.ends(organization)
    dead = (
        key.revoked is not None
        or organization.suspended
        or (ends is not None and ends <= now)
        or (key.networks and not any(made["address"] in network for network in key.networks if made["address"]))
    )
    if dead:
        assert not call(**made)


@few
@given(values.requirements(values.IMPLYING), values.requirements(values.IMPLYING), st.data())
def test_both_is_met_by_what_meets_each(one, other, data):
    register = values.IMPLYING
    held = register.effective(register.parse(data.draw(values.grants(register))))
    met = [need(requirement, register).satisfied(held) is not None for requirement in (one, other, one.both(other))]
    assert met[2] is (met[0] and met[1])


@few
@given(values.registers, st.data())
def test_reach_is_what_would_be_allowed(register, data):
    rules = Rules(
        tuple(
            Rule(Operation.parse(f"GET /{at}"), data.draw(st.none() | values.requirements(register)))
            for at in range(data.draw(st.integers(0, 4)))
        )
    )
    key = msgspec.structs.replace(data.draw(values.keys(register)), **LIVE)
    found = reach(rules, register, key.held(values.NOW))
    for rule in rules.rules:
        if rule.requirement is None:
            assert rule.operation in found.public
        else:
            allowed = bool(call(key, register, rule.requirement))
            assert allowed is (rule.operation in found.open)
            assert allowed is not (rule.operation in found.closed)


@given(values.registers, st.data())
def test_a_mask_is_a_set_of_permissions(register, data):
    names = data.draw(st.lists(st.sampled_from(list(register.bits))))
    assert set(names) == set(register.names(register.parse(names)))
