"""A decider together with one table of rules: whole requests are decided here, and recorded."""

from enum import Enum

from scopekey.core.decide import PUBLIC
from scopekey.core.decision import Decision, DenialReason, Denied
from scopekey.core.matcher import Match, Matcher
from scopekey.core.rules import Rules
from scopekey.core.target import Target, UnreadableTarget, read_target
from scopekey.replica.decider import Decider
from scopekey.replica.event import Event
from scopekey.replica.journal import Journal, Ticket

EMPTY = Rules()


class Absent(Enum):
    """Why a request has no single credential."""

    NONE = "none"
    AMBIGUOUS = "ambiguous"


Credential = str | Absent
"""The printed key as it was sent, or why there is none."""

_NO_CREDENTIAL = Denied(DenialReason.NO_CREDENTIAL)
_AMBIGUOUS = Denied(DenialReason.AMBIGUOUS_CREDENTIAL)


class Guard:
    """Guards one API. `rules` are its own, None for the applied ones."""

    def __init__(self, verifier: Decider, journal: Journal, rules: Rules | None) -> None:
        self.verifier = verifier
        self._journal = journal
        self._own = rules
        self._compiled: tuple[object, Matcher | None] = (None, None)

    def matcher(self) -> Matcher | None:
        """The compiled table under the present catalog; None before there is one."""
        self.verifier.renew()
        return self._compile()

    def request(
        self,
        method: str,
        raw_target: bytes,
        credential: Credential,
        *,
        address: str | None,
        request_id: str,
        preflight: bool = False,
        refused: Denied | None = None,
    ) -> tuple[Event, Ticket]:
        """Decide one request and record it.

        `raw_target` is the request line's, undecoded. The caller waits for the ticket before it
        answers. One request, one decision, one record; `refused` is one that was made already.
        """
        verifier = self.verifier
        position, now = verifier.renew(), verifier.clock()
        age = verifier.freshness.age(now)
        matcher = self._compile()
        match: Match | None = None
        target = read_target(raw_target)
        if isinstance(target, UnreadableTarget):
            decision: Decision = Denied(DenialReason.UNREADABLE_TARGET, detail=target.why)
        else:
            match = matcher.match(method, target.segments, preflight=preflight) if matcher else None
            decision = self._decide(match, credential, refused, now=now, age=age, address=address)
        event = Event(
            decision,
            now,
            request_id,
            verifier.register,
            match,
            match.name if match else method,
            self._object(match, target.segments) if match and match.object and isinstance(target, Target) else None,
            address,
            position,
            age,
            age > verifier.freshness.stale_after,
        )
        return event, self._journal.append(event)

    def _object(self, match: Match, segments: tuple[str, ...]) -> str | None:
        """What is recorded as the object: never a key that somebody put into a path by mistake."""
        name = match.object_of(segments)
        return name and self.verifier.key_format.without_secrets(name)

    def _decide(
        self,
        match: Match | None,
        credential: Credential,
        refused: Denied | None,
        *,
        now: int,
        age: int,
        address: str | None,
    ) -> Decision:
        if match is not None and match.need is None:
            return PUBLIC
        if refused is not None:
            return refused
        if isinstance(credential, str):
            return self.verifier.decide(credential, match.need if match else None, now, age, address)
        return _NO_CREDENTIAL if credential is Absent.NONE else _AMBIGUOUS

    def _compile(self) -> Matcher | None:
        """Compile again only where the catalog or the rules are other objects than last time."""
        copies = self.verifier.copies
        if copies.register is None:
            return None
        # One pair, read and replaced whole: threads may compile at the same time.
        compiled_for, matcher = self._compiled
        if compiled_for is not copies:
            rules = self._own if self._own is not None else self.verifier.index.rules()
            matcher = Matcher(rules or EMPTY, copies.register)
            self._compiled = (copies, matcher)
        return matcher
