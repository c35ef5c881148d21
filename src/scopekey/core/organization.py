"""An organization: a tenant, and the policy that reaches its keys, also those already issued."""

import msgspec

from scopekey.core.ids import OrganizationId


class Policy(msgspec.Struct, frozen=True):
    """What an organization's keys may be.

    `max_key_age` is in milliseconds since a key's creation, None for no cap. With `never_expires`
    a key may be made without an end, and the cap does not reach such a key; without it the cap does.
    """

    max_key_age: int | None = None
    never_expires: bool = False


class Organization(msgspec.Struct, frozen=True):
    """A tenant as verifiers see it. The operator is the one that may see across organizations."""

    id: OrganizationId
    name: str
    operator: bool = False
    suspended: bool = False
    policy: Policy = Policy()
    version: int = 1
