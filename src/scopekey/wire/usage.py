"""What the management API tells of the use of a key."""

from datetime import date

from pydantic import Field

from scopekey.wire.resources import Answer, KeyIdText, Time


class SecretUse(Answer):
    """When one secret of a key was used."""

    number: int
    uses: int
    first_used: Time | None = None
    last_used: Time | None = None
    live: bool = Field(description="Whether it still works")


class DayUse(Answer):
    """Calls of one day, in UTC."""

    day: date
    uses: int
    refusals: int


class PermissionUse(Answer):
    """What one permission of a key was used for."""

    permission: str
    held: bool = Field(description="Whether the key holds it now")
    granted_at: Time | None = None
    uses: int
    first_used: Time | None = None
    last_used: Time | None = Field(None, description="None: never")
    refusals: int = Field(description="Calls that were refused for want of it")
    last_refused: Time | None = None
    days: list[DayUse]


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
    permissions: list[PermissionUse] = Field(description="Those it holds, and those it used or lacked before")
