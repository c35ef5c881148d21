"""Laws of catalogs whose levels imply one another in any way, circles included."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.requirement import Requirement, need

LEVELS = ("a", "b", "c", "read", "write")
some = settings(max_examples=200, deadline=None)
offers = st.lists(st.sampled_from(LEVELS), min_size=1, unique=True).map(tuple)
pairs = st.frozensets(st.tuples(st.sampled_from(LEVELS), st.sampled_from(LEVELS)), max_size=8)


@st.composite
def registers(draw):
    """A catalog of three resources; the third guards Scopekey's own keys."""
    implied: dict[str, list[str]] = {}
    for level, brings in sorted(draw(pairs)):
        implied.setdefault(level, []).append(brings)
    resources = (
        Resource("x", "X", "G", draw(offers)),
        Resource("y", "Y", "G", draw(offers)),
        Resource("tokens", "Tokens", "G", LEVELS),
    )
    return Register.first(
        Catalog(
            "levels",
            resources,
            levels=LEVELS,
            implies={level: tuple(brings) for level, brings in implied.items()},
            own={"keys": "tokens"},
        )
    )


def closure(catalog, level):
    """Every level that can be reached, by walking until nothing new is found."""
    found = {level}
    while True:
        more = found | {brings for known in found for brings in catalog.implies.get(known, ())}
        if more == found:
            return found
        found = more


def opened(register, names):
    """All that names come to, by sets of names alone."""
    catalog = register.catalog
    held = set(names)
    for resource in catalog.resources[:2]:
        for level in resource.levels:
            if f"{resource.name}:{level}" in names:
                held |= {f"{resource.name}:{brings}" for brings in closure(catalog, level) & set(resource.levels)}
    return held


def chosen(register):
    return st.frozensets(st.sampled_from(sorted(register.bits)), max_size=5)


@some
@given(registers(), st.data())
def test_a_grant_comes_to_the_closure_of_its_levels_where_the_resource_offers_them_and_never_touches_our_own(
    register, data
):
    names = data.draw(chosen(register))
    effective = register.effective(register.parse(names))
    assert opened(register, names) == set(register.names(effective))
    assert effective == register.effective(effective)


@some
@given(registers(), st.data())
def test_a_grant_comes_to_the_sum_of_what_its_permissions_come_to(register, data):
    one, other = (register.parse(data.draw(chosen(register))) for _ in range(2))
    assert register.effective(one | other) == register.effective(one) | register.effective(other)


@some
@given(registers(), st.data())
def test_the_barest_grant_comes_to_the_same_and_nothing_can_be_left_out_of_it(register, data):
    mask = register.parse(data.draw(chosen(register)))
    bare = register.barest(mask)
    assert bare == bare & mask
    assert register.effective(mask) == register.effective(bare)
    for permission in register.permissions(bare):
        assert register.effective(mask) != register.effective(bare & ~register.mask((permission,)))


@some
@given(registers(), st.data())
def test_what_is_missing_is_enough_whole_needed_and_the_fewest_of_any_alternative(register, data):
    alternatives = data.draw(st.lists(chosen(register), min_size=1, max_size=3))
    held = register.effective(register.parse(data.draw(chosen(register))))
    permission = register.catalog.permission
    wanted = need(Requirement(tuple(tuple(map(permission, sorted(names))) for names in alternatives)), register)
    missing = wanted.missing(held, register)
    assert wanted.satisfied(register.effective(held | register.mask(missing))) is not None
    assert (wanted.satisfied(held) is None) is bool(missing)
    assert not register.mask(missing) & held
    # Fewer of what an alternative names are never enough for it.
    for names in alternatives:
        lacking = sorted(names - set(register.names(held)))
        for fewer in range(1 << len(lacking)):
            asked = [name for at, name in enumerate(lacking) if fewer >> at & 1]
            if names <= opened(register, set(register.names(held)) | set(asked)):
                assert len(missing) <= len(asked)
