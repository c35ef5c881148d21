"""Refusals without a genuine key: counted per minute, code and network, in bounded space."""

import pytest

from scopekey.replica.refusals import ELSEWHERE, RefusalCounts, network_of
from tests.replica.journals import unknown


def test_counts_wait_for_the_end_of_their_minute():
    counts = RefusalCounts()
    counts.count(unknown(at=60_500, address="192.0.2.9"))
    assert [] == list(counts.ended(119_999))
    assert [1] == [count for _, count in counts.ended(120_000)]
    assert not counts


def test_more_networks_than_there_is_room_for_are_counted_together():
    counts = RefusalCounts(cells=2)
    told = [counts.count(unknown(address=f"10.0.{number}.1")) for number in range(5)]
    assert [True, True, False, False, False] == told
    assert {"10.0.0.0/24": 1, "10.0.1.0/24": 1, ELSEWHERE: 3} == {c.network: n for c, n in counts.ended(None)}


@pytest.mark.parametrize(
    ("address", "network"),
    [("::ffff:192.0.2.1", "192.0.2.0/24"), ("nonsense", ELSEWHERE), (None, ELSEWHERE), ("::1", "::/48")],
)
def test_an_address_counts_for_its_network(address, network):
    assert network == network_of(address)
