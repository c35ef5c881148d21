"""Keys in memory, with the verifier that every adapter takes."""

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.change import Change, State
from scopekey.core.decision import Decision
from scopekey.core.digest import Pepper
from scopekey.core.grant import Register, register
from scopekey.core.ids import KeyId, OrganizationId, base62
from scopekey.core.key import Key, Secret
from scopekey.core.keyformat import KeyFormat
from scopekey.core.network import parse_network
from scopekey.core.organization import Organization, Policy
from scopekey.core.permission import Permission
from scopekey.core.rules import Rules
from scopekey.replica.event import Event
from scopekey.replica.freshness import HomeFreshness
from scopekey.replica.index import Place
from scopekey.replica.journal import DONE, JournalUnavailableError, Ticket
from scopekey.replica.memory_index import MemoryIndex
from scopekey.replica.verifier import Verifier
from scopekey.testing.decided import Decided

START = 1_767_225_600_000
"""What the clock says at first: 2026-01-01T00:00:00Z, in milliseconds since the epoch."""

_FEED = "testing"
_FORMAT = KeyFormat()
_PEPPER = Pepper(bytes(range(32)))


class Keys:
    """Keys in memory, with the verifier that every adapter takes.

    Made from a catalog, or from the names of the permissions there shall be; with neither there are
    those that the rules name. `rules` become the applied ones. `now` is the clock, in milliseconds, and stands still
    until you set it; `events` are the records of what was decided; `journal_fails` makes every record fail,
    `missing_permission_status` is what adapters answer a missing permission with.
    """

    def __init__(self, *permissions: str, catalog: Catalog | None = None, rules: Rules | None = None) -> None:
        self.now = START
        self.events: list[Event] = []
        self.journal_fails = False
        self.missing_permission_status = 401
        self.index: MemoryIndex = MemoryIndex()
        self._made = 0
        with self.index.writing() as writer:
            writer.load(Place(_FEED, 0, bytes(16)), ())
        self.catalog: Catalog = catalog or _catalog(permissions or _named(rules))
        self.register: Register = Register.first(self.catalog)
        self._apply(self.register)
        if rules is not None:
            self.apply_rules(rules)
        self.verifier: Verifier = Verifier(
            self.index,
            key_format=_FORMAT,
            peppers={_PEPPER.id: _PEPPER},
            journal=_Recording(self),
            clock=lambda: self.now,
            freshness=HomeFreshness(self.index.pending_since, stale_after=5_000, refuse_after=900_000),
        )

    def add(
        self,
        *permissions: str,
        organization: str = "acme",
        environment: str = "live",
        expires_in: int | None = None,
        networks: Iterable[str] = (),
    ) -> str:
        """Make a key that holds these permissions; gives the printed key.

        `expires_in` is in milliseconds from now; without it the key never ends. The organization is
        made where there is none of that name. Raises UnknownPermissionError, and InvalidNetworkError.
        """
        grant = self.register.parse(permissions)
        owner = self.organization(organization)
        self._made += 1
        key_id = KeyId("key_" + base62(self._made, 12))
        printed = _FORMAT.print(environment, key_id, sha256(f"secret {self._made}".encode()).digest())
        key = Key(
            id=key_id,
            version=1,
            organization=owner.id,
            environment=environment,
            secrets=(Secret(_PEPPER.digest(printed), _PEPPER.id),),
            grant=grant,
            created=self.now,
            expires=None if expires_in is None else self.now + expires_in,
            networks=tuple(parse_network(network) for network in networks),
        )
        self._apply(key)
        return printed

    def headers(
        self,
        *permissions: str,
        organization: str = "acme",
        environment: str = "live",
        expires_in: int | None = None,
        networks: Iterable[str] = (),
    ) -> dict[str, str]:
        """Make a key as `add` does; gives the header fields of a request with it."""
        printed = self.add(
            *permissions, organization=organization, environment=environment, expires_in=expires_in, networks=networks
        )
        return {"Authorization": f"Bearer {printed}"}

    @property
    def decisions(self) -> list[Decided]:
        """What was decided so far, the first call first: each prints as one line that says all of it."""
        return [Decided.of(event) for event in self.events]

    @property
    def last(self) -> Decided:
        """What was decided last. Raises AssertionError where nothing was."""
        if not self.events:
            raise AssertionError(
                "nothing was decided with these keys: is the application that was called guarded with them?"
            )
        return Decided.of(self.events[-1])

    def organization(
        self, name: str = "acme", *, suspended: bool | None = None, max_key_age: int | None = None
    ) -> Organization:
        """Find the organization of that name, or make it; with an argument, change it.

        `max_key_age`, in milliseconds, caps the age of its keys, also those that have no end.
        """
        organization_id = _organization_id(name)
        found = self.index.organization(organization_id)
        wanted = found or Organization(organization_id, name, policy=Policy(never_expires=True))
        if suspended is not None:
            wanted = msgspec.structs.replace(wanted, suspended=suspended)
        if max_key_age is not None:
            wanted = msgspec.structs.replace(wanted, policy=Policy(max_key_age=max_key_age))
        if wanted != found:
            self._apply(wanted)
        return wanted

    def key(self, printed: str) -> Key:
        """Find the record of a printed key. Raises KeyError where there is none."""
        presented = _FORMAT.parse(printed)
        found = self.index.key(presented.key_id) if presented else None
        if found is None:
            raise KeyError("no such key was added here")
        return found

    def grant(self, printed: str, *permissions: str) -> None:
        """Let a key hold these permissions, and no others."""
        self._edit(printed, grant=self.register.parse(permissions))

    def revoke(self, printed: str) -> None:
        """Revoke a key, now and for good."""
        self._edit(printed, revoked=self.now)

    def apply_rules(self, rules: Rules) -> None:
        """Make these the applied rules."""
        self._apply(rules)

    def apply_catalog(self, catalog: Catalog) -> None:
        """Replace the catalog; permissions that stay keep their bits, and so do the keys that hold them."""
        self.catalog, self.register = catalog, register(catalog, self.register)
        self._apply(self.register)

    def check(self, printed: str, *permissions: str, address: str | None = None) -> Decision:
        """Decide whether a printed key holds all these permissions."""
        return self.verifier.check(printed, *permissions, address=address)

    def _edit(self, printed: str, **changes: object) -> None:
        key = self.key(printed)
        self._apply(msgspec.structs.replace(key, version=key.version + 1, **changes))

    def _apply(self, state: State) -> None:
        with self.index.writing() as writer:
            place = writer.place()
            position = place.position + 1 if place else 1
            writer.apply((Change(position, position.to_bytes(16, "big"), state),))


class _Recording:
    """A journal that keeps events where a test can look at them."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def append(self, event: Event) -> Ticket:
        if self._keys.journal_fails:
            raise JournalUnavailableError("this journal was told to fail")
        self._keys.events.append(event)
        return DONE

    def close(self) -> None:
        return


def _organization_id(name: str) -> OrganizationId:
    number = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
    return OrganizationId("org_" + base62(number, 12))


def _named(rules: Rules | None) -> Iterable[str]:
    """Every permission that a table names, in its order."""
    requirements = [rule.requirement for rule in rules.rules if rule.requirement] if rules else []
    return dict.fromkeys(name for needed in requirements for names in needed.names() for name in names)


def _catalog(permissions: Iterable[str]) -> Catalog:
    """The smallest catalog that has these permissions."""
    offered: dict[str, list[str]] = {}
    for permission in map(Permission.parse, permissions):
        levels = offered.setdefault(permission.resource, [])
        if permission.level not in levels:
            levels.append(permission.level)
    every = dict.fromkeys(["read", "write", *(level for some in offered.values() for level in some)])
    resources = tuple(
        Resource(name, name.replace("_", " ").title(), "Testing", tuple(some)) for name, some in offered.items()
    )
    return Catalog("testing", resources, levels=tuple(every))
