from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import register

LEVELS = st.sampled_from([("read",), ("read", "write"), ("write", "read")])
resources = st.lists(st.tuples(st.sampled_from("abcd"), LEVELS), max_size=4, unique_by=lambda pair: pair[0])


@st.composite
def catalogs(draw):
    offered = draw(resources)
    able = [name for name, levels in offered if set(levels) == {"read", "write"}]
    own = {}
    if able and draw(st.booleans()):
        own["keys"] = draw(st.sampled_from(able))
    return Catalog("laws", tuple(Resource(name, name, "Group", levels) for name, levels in offered), own=own)


@settings(max_examples=200, deadline=None)
@given(st.lists(catalogs(), min_size=1, max_size=6))
def test_a_bit_is_given_once_and_never_means_another_permission(history):
    known = None
    for catalog in history:
        before, known = known, register(catalog, known)
        assert set(catalog.permissions) == set(known.bits)
        assert len(known.bits) == len(set(known.bits.values()))
        assert all(bit < known.next_bit for bit in known.bits.values())
        if before is None:
            continue
        owners = {bit: name for name, bit in before.bits.items()}
        for name, bit in known.bits.items():
            if bit < before.next_bit:
                # Given before: to this very permission, in the catalog just before, or to the name `own` joins it with.
                resources = {text.partition(":")[0] for text in (name, owners[bit])}
                levels = {text.partition(":")[2] for text in (name, owners[bit])}
                assert len(levels) == 1
                assert len(resources) == 1 or resources in joined(before.catalog, catalog)


def joined(*catalogs):
    return [{"scopekey_keys", catalog.own["keys"]} for catalog in catalogs if catalog.own]


@settings(max_examples=100, deadline=None)
@given(catalogs(), catalogs())
def test_a_permission_that_was_removed_and_comes_back_gets_a_new_bit(first, second):
    one = register(first, None)
    two = register(second, one)
    three = register(first, two)
    for name in first.permissions:
        if name not in second.permissions and not first.own and not second.own:
            assert one.next_bit <= three.bits[name]
        elif name in second.permissions:
            assert one.bits[name] == three.bits[name]
