"""A key: a named credential of an organization, as a verifier knows it.

Times are whole milliseconds since the Unix epoch, UTC. Names, comments and metadata stay in the
control plane: nothing here is needed by people, and everything is needed by a decision.
"""

from hmac import compare_digest

import msgspec

from scopekey.core.digest import SCHEME
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.network import Network
from scopekey.core.organization import Organization


class Secret(msgspec.Struct, frozen=True, gc=False):
    """One printed string of a key, as its digest. `until` ends the overlap of a rotation.

    `number` counts a key's secrets from 1, so that people can tell them apart.
    """

    digest: bytes
    pepper: PepperId
    number: int = 1
    until: int | None = None
    scheme: int = SCHEME

    # A digest is no secret by itself, but what is never printed is never leaked.
    def __repr__(self) -> str:
        return f"Secret(number={self.number}, pepper={self.pepper!r}, until={self.until})"


class Key(msgspec.Struct, frozen=True, gc=False):
    """The present state of one key. `grant` and `probation` are masks of the register's bits.

    `extensions` are critical: a verifier that does not know one of them denies.
    """

    id: KeyId
    version: int
    organization: OrganizationId
    environment: str
    secrets: tuple[Secret, ...]
    grant: int
    created: int
    expires: int | None = None
    networks: tuple[Network, ...] = ()
    revoked: int | None = None
    probation: int = 0
    probation_ends: int | None = None
    extensions: tuple[str, ...] = ()

    def match(self, digest: bytes) -> Secret | None:
        """Find the secret with this digest, comparing in constant time."""
        for secret in self.secrets:
            if compare_digest(secret.digest, digest):
                return secret
        return None

    def held(self, now: int) -> int:
        """The permissions this key holds now: all of its grant, less what a finished probation took."""
        if self.probation and self.probation_ends is not None and now >= self.probation_ends:
            return self.grant & ~self.probation
        return self.grant

    def ends(self, organization: Organization) -> int | None:
        """When this key ends under its organization's policy, or None for never.

        A lowered cap reaches keys already issued: it is applied here, not written into them.
        """
        policy = organization.policy
        if policy.max_key_age is None or (self.expires is None and policy.never_expires):
            return self.expires
        cap = self.created + policy.max_key_age
        return cap if self.expires is None else min(self.expires, cap)
