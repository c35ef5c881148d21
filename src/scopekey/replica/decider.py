"""Decides from the index alone, and records nothing.

The hot path of the product. It reads the clock and the index, and leaves every judgement to
``core.decide``.
"""

from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest

from scopekey.core.decide import decide
from scopekey.core.decision import Decision, DenialReason, Denied
from scopekey.core.digest import SCHEME, Pepper
from scopekey.core.grant import Register
from scopekey.core.ids import OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.keyformat import KeyFormat, is_intact
from scopekey.core.network import parse_address
from scopekey.core.organization import Organization
from scopekey.core.requirement import Need, Requirement, need
from scopekey.replica.freshness import Freshness
from scopekey.replica.held import Held
from scopekey.replica.index import Index

_MOST_NEEDS = 4096

_MALFORMED = Denied(DenialReason.MALFORMED_KEY)
_TYPO = Denied(DenialReason.MALFORMED_KEY, detail="The checksum at its end does not fit: it was probably mistyped.")
_UNKNOWN = Denied(DenialReason.UNKNOWN_KEY)
_STALE = Denied(DenialReason.STALE_REPLICA)


class Copies:
    """What is kept of the index, all of one epoch; another object as soon as any of it changed.

    It is replaced whole: a thread that is late puts what it read into the copies it began
    with, never into newer ones.
    """

    __slots__ = ("needs", "organizations", "register")

    def __init__(self, register: Register | None) -> None:
        self.register: Register | None = register
        self.organizations: dict[OrganizationId, Organization] = {}
        self.needs: dict[tuple[str, ...], Need] = {}


class Decider:
    """Decides about keys by one index.

    Holds no state of its own but copies of the catalog, the rules and organizations, which are
    dropped as soon as the index says that one of them changed.
    """

    def __init__(
        self,
        index: Index,
        *,
        key_format: KeyFormat,
        peppers: Mapping[PepperId, Pepper],
        clock: Callable[[], int],
        freshness: Freshness,
    ) -> None:
        self.index = index
        self.key_format = key_format
        self.clock = clock
        self.freshness = freshness
        self._peppers = dict(peppers)
        self._seen: tuple[int, ...] = (-1, -1)
        self.copies: Copies = Copies(None)
        self.renew()

    @property
    def register(self) -> Register | None:
        """The applied catalog with its bits, None before there is one."""
        return self.copies.register

    def renew(self) -> int:
        """Drop every copy that an applied change outdated; give the position the index is at."""
        now = self.index.now()
        # An index gives the same object for the same numbers: nearly always this is all.
        if now is not self._seen:
            if now[:2] != self._seen[:2]:
                self.copies = Copies(self.index.register())
            self._seen = now
        return now.position

    def check(self, printed: str, *permissions: str, address: str | None = None) -> Decision:
        """Decide whether a printed key holds all these permissions.

        Raises UnknownPermissionError for one that is not in the catalog: that is a mistake in the
        caller's program, not a property of the key.
        """
        self.renew()
        now = self.clock()
        wanted = self.copies.needs.get(permissions) or self.need_of(permissions)
        return self.decide(printed, wanted, now, self.freshness.age(now), address)

    def decide_now(self, printed: str, wanted: Need) -> Decision:
        """Decide against a need that is compiled already, now and from no address."""
        self.renew()
        now = self.clock()
        return self.decide(printed, wanted, now, self.freshness.age(now), None)

    def decide_held(self, held: Held, permissions: Sequence[str]) -> Decision:
        """Decide whether a key may go on with what it began."""
        self.renew()
        now = self.clock()
        return self.decide_later(held, self.need_of(tuple(permissions)), now, self.freshness.age(now))

    def decide(self, printed: str, wanted: Need | None, now: int, age: int, address: str | None) -> Decision:
        """Decide one presented key against one need, at a time; the steps of `check`.

        `age` is that of the replica at this time: whoever asks has looked, and looks once.
        """
        key_id = self.key_format.id_of(printed)
        if key_id is None:
            return _MALFORMED
        copies = self.copies
        register = copies.register
        if register is None or age > self.freshness.refuse_after:
            return _STALE
        key = self.index.key(key_id)
        secret = None if key is None else self._matching(key, printed)
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

    def decide_later(self, held: Held, wanted: Need | None, now: int, age: int) -> Decision:
        """Decide work that is done later for a key; the steps of `decide_held`."""
        copies = self.copies
        register = copies.register
        if register is None or age > self.freshness.refuse_after:
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

    def identify(self, printed: str) -> tuple[Key | None, Secret | None]:
        """Find whose printed key this is, and which of its secrets; decides nothing."""
        key_id = self.key_format.id_of(printed)
        key = None if key_id is None else self.index.key(key_id)
        return key, None if key is None else self._matching(key, printed)

    def organization(self, organization_id: OrganizationId) -> Organization | None:
        """Find an organization as the index knows it now."""
        self.renew()
        return self._organization(organization_id, self.copies)

    def need_of(self, permissions: tuple[str, ...]) -> Need | None:
        """Compile these permissions, None before there is a catalog. Raises UnknownPermissionError."""
        copies = self.copies
        found, register = copies.needs.get(permissions), copies.register
        if found is None and register is not None:
            wanted = Requirement.all_of(*(register.catalog.permission(name) for name in permissions))
            found = need(wanted, register)
            # Programs ask for few combinations; the bound only keeps callers' input from growing it.
            if len(copies.needs) < _MOST_NEEDS:
                copies.needs[permissions] = found
        return found

    def _matching(self, key: Key, printed: str) -> Secret | None:
        """Find which of a key's secrets was presented."""
        for secret in key.secrets:
            pepper = self._peppers.get(secret.pepper)
            if pepper is None or secret.scheme != SCHEME:
                continue
            if compare_digest(secret.digest, pepper.digest(printed)):
                return secret
        return None

    def _organization(self, organization_id: OrganizationId, copies: Copies) -> Organization | None:
        found = copies.organizations.get(organization_id) or self.index.organization(organization_id)
        if found is not None:
            copies.organizations[organization_id] = found
        return found
