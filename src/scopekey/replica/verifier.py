"""The verifier: answers from the index alone, and records what it answered.

The hot path of the product. It reads the clock and the index, and leaves every judgement to
``core.decide``.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from hmac import compare_digest

from scopekey.core.decide import PUBLIC, decide
from scopekey.core.decision import Decision, DenialReason, Denied
from scopekey.core.digest import SCHEME, Pepper
from scopekey.core.grant import Register
from scopekey.core.ids import OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.keyformat import KeyFormat, PrintedKey, is_intact
from scopekey.core.matcher import Match, Matcher
from scopekey.core.network import parse_address
from scopekey.core.organization import Organization
from scopekey.core.requirement import Need, Requirement, need
from scopekey.core.rules import Rules
from scopekey.core.target import Target, UnreadableTarget, read_target
from scopekey.replica.event import Event
from scopekey.replica.freshness import Freshness
from scopekey.replica.held import Held
from scopekey.replica.index import Index
from scopekey.replica.journal import Journal, Ticket

EMPTY = Rules()
_MOST_NEEDS = 4096


class Absent(Enum):
    """Why a request has no single credential."""

    NONE = "none"
    AMBIGUOUS = "ambiguous"


Credential = str | Absent
"""The printed key as it was sent, or why there is none."""

_NO_CREDENTIAL = Denied(DenialReason.NO_CREDENTIAL)
_AMBIGUOUS = Denied(DenialReason.AMBIGUOUS_CREDENTIAL)
_MALFORMED = Denied(DenialReason.MALFORMED_KEY)
_TYPO = Denied(DenialReason.MALFORMED_KEY, detail="The checksum at its end does not fit: it was probably mistyped.")
_UNKNOWN = Denied(DenialReason.UNKNOWN_KEY)
_STALE = Denied(DenialReason.STALE_REPLICA)


class Verifier:
    """Checks keys against one index.

    Holds no state of its own but copies of the catalog, the rules and organizations, which are
    dropped as soon as the index says that one of them changed.
    """

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
        self.index = index
        self.journal = journal
        self.key_format = key_format
        self.clock = clock
        self.freshness = freshness
        self._peppers = dict(peppers)
        self._seen: tuple[int, ...] = (-1, -1)
        self._copies = _Copies(None)
        self.renew()
        self.applied = Guard(self, None)

    def guard(self, rules: Rules) -> "Guard":
        """Guard an API with rules of its own instead of the applied ones."""
        return Guard(self, rules)

    def check(self, printed: str, *permissions: str, address: str | None = None) -> Decision:
        """Decide whether a printed key holds all these permissions.

        Raises UnknownPermissionError for one that is not in the catalog: that is a mistake in the
        caller's program, not a property of the key.
        """
        self.renew()
        wanted = self._copies.needs.get(permissions) or self._need_of(permissions)
        return self.decide(printed, wanted, self.clock(), address)

    def ask(
        self, printed: str, permissions: Sequence[str], *, address: str | None = None, request_id: str = ""
    ) -> tuple[Event, Ticket]:
        """The same as `check`, recorded: an event for the journal, and the ticket to wait for."""
        position, now = self.renew(), self.clock()
        decision = self.decide(printed, self._need_of(tuple(permissions)), now, address)
        age = self.freshness.age(now)
        event = Event(
            decision,
            now,
            request_id,
            self._copies.register,
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
        decision = self._decide_held(held, self._need_of(tuple(permissions)), now)
        age = self.freshness.age(now)
        event = Event(
            decision,
            now,
            request_id,
            self._copies.register,
            operation=operation,
            object=object,
            address=held.address,
            position=position,
            age=age,
            stale=age > self.freshness.stale_after,
        )
        return event, self.journal.append(event)

    def decide_held(self, held: Held, permissions: Sequence[str]) -> Decision:
        """Decide whether a key may go on with what it began; not recorded."""
        self.renew()
        return self._decide_held(held, self._need_of(tuple(permissions)), self.clock())

    def _decide_held(self, held: Held, wanted: Need | None, now: int) -> Decision:
        copies = self._copies
        register = copies.register
        if register is None or self.freshness.age(now) > self.freshness.refuse_after:
            return _STALE
        key = self.index.key(held.key_id)
        if key is None:
            return _UNKNOWN
        secret = next((s for s in key.secrets if s.number == held.secret), None)
        if secret is None or secret.pepper not in self._peppers or secret.scheme != SCHEME:
            # The key is named, so that the record is its own: the secret did match when the work was started.
            return Denied(DenialReason.UNKNOWN_KEY, key)
        address = parse_address(held.address) if key.networks and held.address else None
        organization = self._organization(key.organization, copies)
        return decide(key, secret, organization, wanted, register=register, now=now, address=address)

    def decide_now(self, printed: str, wanted: Need) -> Decision:
        """Decide against a need that is compiled already, now and from no address; not recorded."""
        self.renew()
        return self.decide(printed, wanted, self.clock(), None)

    def identify(self, printed: str) -> tuple[Key | None, Secret | None]:
        """Find whose printed key this is, and which of its secrets; decides nothing."""
        presented = self.key_format.parse(printed)
        return (None, None) if presented is None else self._authenticate(presented)

    def organization(self, organization_id: OrganizationId) -> Organization | None:
        """Find an organization as the index knows it now."""
        self.renew()
        return self._organization(organization_id, self._copies)

    def _need_of(self, permissions: tuple[str, ...]) -> Need | None:
        copies = self._copies
        found, register = copies.needs.get(permissions), copies.register
        if found is None and register is not None:
            wanted = Requirement.all_of(*(register.catalog.permission(name) for name in permissions))
            found = need(wanted, register)
            # Programs ask for few combinations; the bound only keeps callers' input from growing it.
            if len(copies.needs) < _MOST_NEEDS:
                copies.needs[permissions] = found
        return found

    @property
    def register(self) -> Register | None:
        """The applied catalog with its bits, None before there is one."""
        return self._copies.register

    @property
    def copies(self) -> object:
        """Stands for what is kept of the index now: another object as soon as any of it changed."""
        return self._copies

    def decide(self, printed: str, wanted: Need | None, now: int, address: str | None) -> Decision:
        """Decide one presented key against one need, at a time; the steps of `check`."""
        presented = self.key_format.parse(printed)
        if presented is None:
            return _MALFORMED
        copies = self._copies
        register = copies.register
        if register is None or self.freshness.age(now) > self.freshness.refuse_after:
            return _STALE
        key, secret = self._authenticate(presented)
        if key is None or secret is None:
            return _UNKNOWN if is_intact(printed) else _TYPO
        return decide(
            key,
            secret,
            copies.organizations.get(key.organization) or self._organization(key.organization, copies),
            wanted,
            register=register,
            now=now,
            address=parse_address(address) if key.networks and address else None,
        )

    def _authenticate(self, presented: PrintedKey) -> tuple[Key | None, Secret | None]:
        """Find the record by the id, and which of its secrets this is."""
        key = self.index.key(presented.key_id)
        if key is None:
            return None, None
        digested: PepperId | None = None
        digest = b""
        for secret in key.secrets:
            pepper = self._peppers.get(secret.pepper)
            if pepper is None or secret.scheme != SCHEME:
                continue
            if secret.pepper != digested:
                # Two secrets of one pepper share the digest of what was presented.
                digested, digest = secret.pepper, pepper.digest(presented.text)
            if compare_digest(secret.digest, digest):
                return key, secret
        return key, None

    def _organization(self, organization_id: OrganizationId, copies: "_Copies") -> Organization | None:
        found = copies.organizations.get(organization_id) or self.index.organization(organization_id)
        if found is not None:
            copies.organizations[organization_id] = found
        return found

    def renew(self) -> int:
        """Drop every copy that an applied change outdated; give the position the index is at."""
        now = self.index.now()
        # An index gives the same object for the same numbers: nearly always this is all.
        if now is not self._seen:
            if now[:2] != self._seen[:2]:
                self._copies = _Copies(self.index.register())
            self._seen = now
        return now.position


class _Copies:
    """What is kept of the index, all of one epoch.

    One object, replaced whole: a thread that is late puts what it read into the copies it began
    with, never into newer ones.
    """

    __slots__ = ("needs", "organizations", "register")

    def __init__(self, register: Register | None) -> None:
        self.register = register
        self.organizations: dict[OrganizationId, Organization] = {}
        self.needs: dict[tuple[str, ...], Need] = {}


class Guard:
    """A verifier together with one table of rules: the applied ones, or an application's own."""

    def __init__(self, verifier: Verifier, rules: Rules | None) -> None:
        self.verifier = verifier
        self._own = rules
        self._compiled: tuple[object, Matcher | None] = (None, None)

    def matcher(self) -> Matcher | None:
        """The compiled table under the present catalog; None before there is one."""
        verifier = self.verifier
        verifier.renew()
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
        position = verifier.renew()
        now = verifier.clock()
        matcher = self._compile()
        match: Match | None = None
        target = read_target(raw_target)
        if isinstance(target, UnreadableTarget):
            decision: Decision = Denied(DenialReason.UNREADABLE_TARGET, detail=target.why)
        else:
            match = matcher.match(method, target.segments, preflight=preflight) if matcher else None
            decision = self._decide(match, credential, now, address, refused)
        age = verifier.freshness.age(now)
        event = Event(
            decision,
            now,
            request_id,
            verifier.register,
            match,
            str(match.operation) if match else method,
            match.object_of(target.segments) if match and match.object and isinstance(target, Target) else None,
            address,
            position,
            age,
            age > verifier.freshness.stale_after,
        )
        return event, verifier.journal.append(event)

    def _decide(
        self, match: Match | None, credential: Credential, now: int, address: str | None, refused: Denied | None
    ) -> Decision:
        if match is not None and match.need is None:
            return PUBLIC
        if refused is not None:
            return refused
        if credential is Absent.NONE:
            return _NO_CREDENTIAL
        if isinstance(credential, Absent):
            return _AMBIGUOUS
        return self.verifier.decide(credential, match.need if match else None, now, address)

    def _compile(self) -> Matcher | None:
        """Compile again only where the catalog or the rules are other objects than last time."""
        verifier = self.verifier
        copies, register = verifier.copies, verifier.register
        if register is None:
            return None
        # One pair, read and replaced whole: threads may compile at the same time.
        compiled_for, matcher = self._compiled
        if compiled_for is not copies:
            rules = self._own if self._own is not None else verifier.index.rules()
            matcher = Matcher(rules or EMPTY, register)
            self._compiled = (copies, matcher)
        return matcher
