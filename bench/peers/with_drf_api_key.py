"""djangorestframework-api-key in process: what its permission class asks of its keys in SQLite, no request around it.

Kind to it: Django opens a connection for each request by default, here one stays open.
"""

from collections.abc import Callable, Sequence
from random import Random

from bench.peers.drf_site import APIKey, make, versions
from bench.rounds import answer_rounds

KEYS, CALLS = 1_000, 400


def asking(keys: Sequence[str]) -> Callable[[], int]:
    """A round of questions about keys that are good."""
    is_valid, asked = APIKey.objects.is_valid, Random(3).choices(keys, k=CALLS)
    assert all(is_valid(key) for key in asked)

    def round_() -> int:
        for key in asked:
            is_valid(key)
        return len(asked)

    return round_


if __name__ == "__main__":
    answer_rounds({"version": versions()}, {"is_valid": asking(make(KEYS))})
