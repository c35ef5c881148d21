"""What the management API tells of the use of a key."""

from datetime import date

from pydantic import Field

from scopekey.wire.resources import Answer, KeyIdText, Time


class SecretUse(Answer):
    """When one secret of a key was used."""

    number: int
    created_at: Time | None = Field(None, description="None: it is gone, and only its use is known")
    until: Time | None = Field(None, description="When it ends, or ended; None: with the key")
    live: bool = Field(description="Whether it still works")
    uses: int
    first_used: Time | None = None
    last_used: Time | None = Field(None, description="None: never")


class SecretShare(Answer):
    """What one secret of a key used a permission for."""

    number: int
    uses: int
    last_used: Time | None = None


class DayUse(Answer):
    """Calls of one day, in UTC."""

    day: date
    uses: int
    refusals: int


class PermissionUse(Answer):
    """What one permission of a key was used for."""

    permission: str
    held: bool = Field(description="Whether the key holds it now, by its own name")
    implied_by: list[str] = Field(default=[], description="What the key holds that brings it along")
    granted_at: Time | None = None
    uses: int
    first_used: Time | None = None
    last_used: Time | None = Field(None, description="None: never")
    refusals: int = Field(description="Calls that were refused for want of it")
    last_refused: Time | None = None
    days: list[DayUse]
    secrets: list[SecretShare]


class UsageAnswer(Answer):
    """What a key and each of its permissions were used for, as far as the log has been folded."""

    key: KeyIdText
    through: Time | None = Field(None, description="When the newest entry that is counted here was sealed")
    uses: int
    first_used: Time | None = None
    last_used: Time | None = Field(None, description="None: never")
    refusals: int
    last_refused: Time | None = None
    days: list[DayUse]
    secrets: list[SecretUse]
    unused: list[str] = Field(description="What it holds and never used, neither itself nor through what it implies")
    permissions: list[PermissionUse] = Field(description="Those it holds, and those it used or lacked before")
