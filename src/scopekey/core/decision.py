"""A decision is a value: Allowed or Denied, with the reason. Never an exception."""

from enum import StrEnum
from typing import Literal

import msgspec

from scopekey.core.ids import KeyId
from scopekey.core.key import Key, Secret
from scopekey.core.permission import Permission
from scopekey.core.requirement import Need


class DenialReason(StrEnum):
    """Why not, in the order in which refusals are told when several apply. The values are public codes."""

    UNREADABLE_TARGET = "unreadable_target"
    NO_CREDENTIAL = "no_credential"
    AMBIGUOUS_CREDENTIAL = "ambiguous_credential"
    MALFORMED_KEY = "malformed_key"
    STALE_REPLICA = "stale_replica"
    UNKNOWN_KEY = "unknown_key"
    REVOKED_KEY = "revoked_key"
    EXPIRED_KEY = "expired_key"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    UNLISTED_OPERATION = "unlisted_operation"
    MISSING_PERMISSION = "missing_permission"
    JOURNAL_UNAVAILABLE = "journal_unavailable"


class Allowed(msgspec.Struct, frozen=True, gc=False):
    """Yes. `key` is None for a public operation; `used` is the alternative that was satisfied."""

    key: Key | None = None
    secret: Secret | None = None
    need: Need | None = None
    used: int = 0
    ends: int | None = None

    @property
    def key_id(self) -> KeyId | None:
        """The key's id, None for a public operation."""
        return self.key.id if self.key else None

    def __bool__(self) -> Literal[True]:
        return True


class Denied(msgspec.Struct, frozen=True, gc=False):
    """No, and why. `key` is set only where its secret matched: nothing is told to anybody else."""

    reason: DenialReason
    key: Key | None = None
    secret: Secret | None = None
    need: Need | None = None
    missing: tuple[Permission, ...] = ()
    ends: int | None = None
    detail: str = ""

    @property
    def key_id(self) -> KeyId | None:
        """The key's id, where its secret matched."""
        return self.key.id if self.key else None

    # A plain object is true: without this, `if decide(...)` would let every denial through.
    def __bool__(self) -> Literal[False]:
        return False


Decision = Allowed | Denied
