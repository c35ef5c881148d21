"""The verifier: decides from the index alone, and records what it decided."""

from collections.abc import Callable, Mapping, Sequence

from scopekey.core.digest import Pepper
from scopekey.core.ids import PepperId
from scopekey.core.keyformat import KeyFormat
from scopekey.core.rules import Rules
from scopekey.replica.decider import Decider
from scopekey.replica.event import Event
from scopekey.replica.freshness import Freshness
from scopekey.replica.guard import Absent, Credential, Guard
from scopekey.replica.held import Held
from scopekey.replica.index import Index
from scopekey.replica.journal import Journal, Ticket

__all__ = ["Absent", "Credential", "Guard", "Verifier"]


class Verifier(Decider):
    """Checks keys against one index, and gives the journal one event for each decision that is to be recorded."""

    def __init__(
        self,
        index: Index,
        *,
        key_format: KeyFormat,
        peppers: Mapping[PepperId, Pepper],
        journal: Journal,
        clock: Callable[[], int],
        freshness: Freshness,
    ) -> None:
        super().__init__(index, key_format=key_format, peppers=peppers, clock=clock, freshness=freshness)
        self.journal = journal
        self.applied: Guard = Guard(self, journal, None)

    def guard(self, rules: Rules) -> Guard:
        """Guard an API with rules of its own instead of the applied ones."""
        return Guard(self, self.journal, rules)

    def ask(
        self, printed: str, permissions: Sequence[str], *, address: str | None = None, request_id: str = ""
    ) -> tuple[Event, Ticket]:
        """The same as `check`, recorded: an event for the journal, and the ticket to wait for."""
        position, now = self.renew(), self.clock()
        age = self.freshness.age(now)
        decision = self.decide(printed, self.need_of(tuple(permissions)), now, age, address)
        event = Event(
            decision,
            now,
            request_id,
            self.register,
            address=address,
            position=position,
            age=age,
            stale=age > self.freshness.stale_after,
        )
        return event, self.journal.append(event)

    def ask_held(
        self,
        held: Held,
        permissions: Sequence[str],
        *,
        operation: str,
        object: str | None = None,  # noqa: A002 - the word of the audit log
        request_id: str = "",
    ) -> tuple[Event, Ticket]:
        """Decide work that is done later for a key, as if it were called with now, and record it.

        `operation` names the work in the audit log, `request_id` is that of the call that started it; no
        permissions ask for a live key alone. Act only on an event that proceeds, after its ticket.
        """
        position, now = self.renew(), self.clock()
        age = self.freshness.age(now)
        decision = self.decide_later(held, self.need_of(tuple(permissions)), now, age)
        event = Event(
            decision,
            now,
            request_id,
            self.register,
            operation=operation,
            object=object,
            address=held.address,
            position=position,
            age=age,
            stale=age > self.freshness.stale_after,
        )
        return event, self.journal.append(event)
