import pytest

from scopekey.core import grant
from scopekey.core.catalog import Catalog, Resource, UnknownPermissionError
from scopekey.core.grant import Register
from scopekey.core.permission import Permission

MANY = Register.first(
    Catalog("many", tuple(Resource(f"r{number}", "R", "G", ("read", "write")) for number in range(300)))
)


def test_a_grant_of_more_than_64_permissions_is_still_one_integer():
    names = [f"r{number}:write" for number in range(0, 300, 7)]
    mask = MANY.parse(reversed(names))
    assert 1 << MANY.bits["r294:write"] == 1 << (mask.bit_length() - 1)
    assert tuple(names) == MANY.names(mask)
    assert 618 == MANY.all.bit_count()


def test_bits_of_permissions_that_are_gone_mean_nothing():
    register = Register.first(Catalog("p", (Resource("x", "X", "G", ("read",)),)))
    gone = 1 << register.next_bit
    assert () == register.names(gone)
    assert 0 == register.effective(gone)


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownPermissionError):
        MANY.parse(["r0:read", "r300:read"])
    with pytest.raises(KeyError):
        MANY.mask([Permission("r300", "read")])


def test_an_alias_is_one_bit():
    tokens = Resource("tokens", "Tokens", "Access", ("read", "write"))
    register = Register.first(Catalog("p", (tokens,), own={"keys": "tokens"}))
    assert register.parse(["tokens:write"]) == register.parse(["scopekey_keys:write"])
    assert 1 == register.parse(["tokens:write", "scopekey_keys:write"]).bit_count()


def test_many_different_grants_do_not_grow_memory(monkeypatch):
    monkeypatch.setattr(grant, "_MOST_UNPACKED", 3)
    register = Register.first(MANY.catalog)
    for mask in range(50):
        assert mask == register.parse(register.names(mask))
    assert 3 >= len(register._unpacked)
    assert 3 >= len(register._named)
