"""How many checks were decided which way: counted by the journal, told by the metrics."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

from scopekey.core.decision import Allowed, DenialReason, Denied
from scopekey.replica.event import Event

ALLOWED = "allowed"
CODES = (ALLOWED, *(reason.value for reason in DenialReason))
"""What a check can come to: allowed, or the code of its refusal."""
_decision = attrgetter("decision")


class Decided(Mapping[str, int]):
    """Counts by code since it was made, each from 0. A permission that is only reported as missing counts as missing.

    For any number of threads without a lock: an interpreter with a global lock does not leave off in the middle
    of one addition.
    """

    __slots__ = ("_counts", "public")

    def __init__(self) -> None:
        self._counts = dict.fromkeys(CODES, 0)
        # Its own number, and no call: this is on the way of every public request.
        self.public: int = 0
        """Calls of public operations: among those that are allowed."""

    def add(self, code: str, number: int = 1) -> None:
        """Count so many of one code. Raises KeyError for what is none."""
        self._counts[code] += number

    def add_all(self, events: Sequence[Event]) -> None:
        """Count decisions."""
        # Nearly all of them are allowed, and counted at the speed of C: there are tens of thousands a second.
        decisions = list(map(_decision, events))
        allowed = list(map(type, decisions)).count(Allowed)
        self._counts[ALLOWED] += allowed
        if allowed < len(decisions):
            for code, number in Counter(one.reason for one in decisions if isinstance(one, Denied)).items():
                self._counts[code] += number

    def __getitem__(self, code: str) -> int:
        return self._counts[code] + (self.public if code == ALLOWED else 0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)


def code_of(event: Event) -> str:
    """The code under which a decision counts."""
    decision = event.decision
    return decision.reason if isinstance(decision, Denied) else ALLOWED
