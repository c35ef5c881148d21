"""Networks a key may be used from: CIDR blocks of IPv4 and IPv6."""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_MAPPED = IPv6Network("::ffff:0:0/96")


class InvalidNetworkError(ValueError):
    """The text is not a network; says why."""


def parse_network(text: str) -> Network:
    """Read `10.0.0.0/8`, `2001:db8::/32` or a single address.

    Raises InvalidNetworkError, also where host bits are set: `10.0.0.1/8` says two things at once.
    IPv4 inside IPv6 is refused: addresses written so count as IPv4, and would never be in it.
    """
    if "%" in text:
        raise InvalidNetworkError(f"{text!r} names a zone, which means something on one machine alone: leave it out")
    try:
        network = ip_network(text)
    except ValueError as error:
        raise InvalidNetworkError(f"{text!r} is not a network: {error}") from error
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise InvalidNetworkError(f"{text!r} is a network of IPv4 inside IPv6: write it as IPv4")
    return network


def parse_address(text: str) -> Address | None:
    """Read an address; an IPv4 address inside IPv6 counts as IPv4. None where it is not one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Tell whether an address is in one of the networks. No address is in none."""
    return address is not None and any(address in network for network in networks)


def covers(outer: tuple[Network, ...], inner: tuple[Network, ...]) -> bool:
    """Tell whether every address that `inner` allows is allowed by `outer`; empty allows all."""
    if not outer:
        return True
    # Collapsed, so that two halves allow the whole.
    outer_v4 = list(collapse_addresses(network for network in outer if isinstance(network, IPv4Network)))
    outer_v6 = list(collapse_addresses(network for network in outer if isinstance(network, IPv6Network)))
    return bool(inner) and all(
        any(network.subnet_of(other) for other in outer_v4)
        if isinstance(network, IPv4Network)
        else any(network.subnet_of(other) for other in outer_v6)
        for network in inner
    )
