"""Who acts, and how far their power goes."""

from typing import Self

import msgspec

from scopekey.audit.entry import ActorKind, Who
from scopekey.core.grant import Register
from scopekey.core.ids import OrganizationId
from scopekey.core.key import Key
from scopekey.core.network import Network
from scopekey.core.organization import Organization

EVERYTHING = -1
"""The mask of whoever holds pepper and store: every bit there is and will be."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls, as the transport knows it: what they hold is looked up in the unit of work itself."""

    kind: ActorKind
    id: str
    request_id: str | None = None
    address: str | None = None

    @classmethod
    def machine(cls, request_id: str | None = None) -> Self:
        """The command line on the home folder. Whoever holds pepper and store has all power anyway."""
        return cls("machine", "home", request_id)


class Actor(msgspec.Struct, frozen=True):
    """Who acts, with what they hold at this moment. `held` is a mask with everything implied.

    None means unlimited: any organization, any environment, no end.
    """

    kind: ActorKind
    id: str
    organization: OrganizationId | None
    operator: bool
    held: int
    environment: str | None = None
    ends: int | None = None
    networks: tuple[Network, ...] = ()

    @classmethod
    def machine(cls, caller: Caller) -> Self:
        """The machine covers every permission, organization and lifetime."""
        return cls(caller.kind, caller.id, organization=None, operator=True, held=EVERYTHING)

    @classmethod
    def of_key(cls, key: Key, organization: Organization, register: Register, now: int) -> Self:
        """A key acts with what it holds, within its own limits."""
        return cls(
            "key",
            key.id,
            organization.id,
            organization.operator,
            register.effective(key.held(now)),
            key.environment,
            key.ends(organization),
            key.networks,
        )

    @property
    def who(self) -> Who:
        """The actor as the audit log names it."""
        return Who(self.kind, self.id, self.organization)

    def sees(self, organization: OrganizationId) -> bool:
        """Tell whether things of an organization exist for this actor at all."""
        return self.operator or self.organization == organization
