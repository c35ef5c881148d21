from ipaddress import IPv4Address, IPv6Address

import pytest

from scopekey.core.network import InvalidNetworkError, covers, parse_address, parse_network


def networks(text):
    return tuple(map(parse_network, text.split()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0",
        "host",
        "10.0.0.0 /8",
        "::ffff:10.0.0.0/104",
        "::ffff:10.0.0.1",
        "fe80::%1",
    ],
)
def test_what_is_no_network_or_says_two_things_is_refused_by_name(text):
    with pytest.raises(InvalidNetworkError, match=repr(text)):
        parse_network(text)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (IPv4Address("10.1.2.3"), "10.1.2.3"),
        (IPv4Address("10.1.2.3"), "::ffff:10.1.2.3"),
        (IPv6Address("2001:db8::1"), "2001:DB8:0::1"),
        (None, "10.1.2.3:80"),
        (None, "010.1.2.3"),
        (None, "[::1]"),
        (None, ""),
    ],
)
def test_an_address_is_read_or_is_none(address, text):
    assert address == parse_address(text)


@pytest.mark.parametrize(
    ("covered", "outer", "inner"),
    [
        (True, "", ""),
        (True, "", "10.0.0.0/8"),
        (False, "10.0.0.0/8", ""),
        (True, "10.0.0.0/8", "10.0.0.0/8"),
        (True, "10.0.0.0/8 192.0.2.0/24", "192.0.2.7 10.1.0.0/16"),
        (False, "10.0.0.0/8", "10.0.0.0/7"),
        (False, "10.0.0.0/8", "10.0.0.1 11.0.0.1"),
        (True, "10.0.0.0/9 10.128.0.0/9", "10.0.0.0/8"),
        (False, "0.0.0.0/0", "::/0"),
        (False, "::/0", "10.0.0.0/8"),
        (True, "::/0 0.0.0.0/0", "2001:db8::/32 10.0.0.0/8"),
    ],
)
def test_networks_cover_others_where_no_address_gets_in_anew(covered, outer, inner):
    assert covered is covers(networks(outer), networks(inner))
