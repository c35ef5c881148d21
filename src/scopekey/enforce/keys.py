"""What an adapter is given to check with: anything that has a verifier."""

from typing import Protocol

from scopekey.replica.verifier import Verifier


class Keys(Protocol):
    """A source of the verifier, asked at every request: it may open late, and anew after a fork.

    An attribute `missing_permission_status` (401 or 403), where there is one, is what adapters
    answer a missing permission with unless they are told otherwise.
    """

    @property
    def verifier(self) -> Verifier:
        """The verifier of this process."""
