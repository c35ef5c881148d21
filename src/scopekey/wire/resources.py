"""What the management API takes and gives: one definition for the server, the command line and the client."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from scopekey.core.network import parse_network
from scopekey.wire.times import RFC3339, parse_duration, parse_moment

_NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+$"
_LINES = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
MAX_LISTED = 1_000


def _duration(text: str) -> str:
    parse_duration(text)
    return text


def _moment(text: str) -> str:
    parse_moment(text, 0)
    return text


def _network(text: str) -> str:
    return str(parse_network(text))


def _time(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and RFC3339.fullmatch(value)):
        return value
    raise ValueError("must be a time as in RFC 3339, with its zone: 2027-02-21T09:00:00Z")


Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NO_CONTROL)]
Comment = Annotated[str, StringConstraints(max_length=1_000, pattern=_LINES)]
PermissionName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
Moment = Annotated[
    str,
    StringConstraints(max_length=40, pattern=r"^[0-9A-Za-z:.+-]+$"),
    AfterValidator(_moment),
    Field(description="RFC 3339 with its zone, or how long ago: 7d, 24h", examples=["7d", "2027-02-21T09:00:00Z"]),
]
Duration = Annotated[
    str,
    StringConstraints(
        max_length=40,
        pattern=r"^([0-9]{1,6}(ms|s|m|h|d|w)|P([0-9]{1,4}W)?([0-9]{1,5}D)?(T([0-9]{1,6}H)?([0-9]{1,6}M)?([0-9]{1,6}S)?)?)$",
    ),
    AfterValidator(_duration),
]
NetworkText = Annotated[
    str, StringConstraints(max_length=50, pattern=r"^[0-9a-fA-F:.]+(/[0-9]{1,3})?$"), AfterValidator(_network)
]
MetadataKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
MetadataValue = Annotated[str, StringConstraints(max_length=500, pattern=_LINES)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=20)]
KeyIdText = Annotated[str, StringConstraints(pattern=r"^key_[0-9A-Za-z]{12}$")]
OrganizationIdText = Annotated[str, StringConstraints(pattern=r"^org_[0-9A-Za-z]{12}$")]
Time = Annotated[AwareDatetime, Field(description="RFC 3339, with its zone", examples=["2027-02-21T09:00:00Z"])]
# Numbers are not taken for times: seconds and milliseconds would be told apart by guessing.
SentTime = Annotated[Time, Field(strict=False), BeforeValidator(_time)]


class Body(BaseModel):
    """Something a caller sends: unknown fields are refused."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """Something the server gives."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")


class Lifetime(Body):
    """When a key ends: at most one of the three."""

    expires_in: Duration | None = Field(None, examples=["90d"])
    expires_at: SentTime | None = None
    never_expires: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.expires_in is not None) + (self.expires_at is not None) + self.never_expires > 1:
            raise ValueError("expires_in, expires_at and never_expires exclude each other: send one of them")
        return self


class CreateKey(Lifetime):
    """A new key. Without an end it gets the earliest of the default lifetime, the cap and the creator's end."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Dashboard", "permissions": ["datasets:read", "queries:read"], "expires_in": "90d"},
                {"name": "Nightly load", "preset": "data_ingestion", "allowed_networks": ["10.0.0.0/8"]},
            ]
        }
    )

    name: Name
    permissions: list[PermissionName] | None = Field(None, max_length=MAX_LISTED)
    preset: Name | None = None
    environment: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,16}$")] | None = None
    allowed_networks: list[NetworkText] = Field(default=[], max_length=100)
    metadata: Metadata = {}
    organization: OrganizationIdText | None = None

    @model_validator(mode="after")
    def _what_it_may(self) -> Self:
        if (self.permissions is None) == (self.preset is None):
            raise ValueError("send either permissions or a preset")
        return self


class EditKey(Lifetime):
    """What to change; what is not sent stays."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"examples": [{"permissions": ["datasets:read"]}, {"name": "Dashboard, production"}]}
    )

    name: Name | None = None
    permissions: list[PermissionName] | None = Field(None, max_length=MAX_LISTED)
    allowed_networks: list[NetworkText] | None = Field(None, max_length=100)
    metadata: Metadata | None = None


class RotateKey(Body):
    """How long the old secret goes on, and which one to replace where two are live already."""

    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra={"examples": [{"overlap": "24h"}]})

    overlap: Duration = "24h"
    replace: Literal["old", "new"] | None = None


class RevokeKey(Body):
    """Why a key ends, for those who look later."""

    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra={"examples": [{"reason": "superseded"}]})

    reason: Literal["compromised", "superseded", "unused", "other"]
    comment: Comment | None = None


class Verify(Body):
    """A question about another key: does it hold these permissions, or may it call this operation."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"examples": [{"key": "sck_live_…", "permissions": ["datasets:read"]}]}
    )

    key: Annotated[str, StringConstraints(min_length=1, max_length=500), Field(repr=False)]
    permissions: list[PermissionName] | None = Field(None, max_length=MAX_LISTED)
    operation: Annotated[str, StringConstraints(max_length=9_000)] | None = Field(None, examples=["GET /datasets/42"])
    address: Annotated[str, StringConstraints(max_length=50)] | None = None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.permissions is None) == (self.operation is None):
            raise ValueError("send either permissions or an operation")
        return self


class PolicyBody(Body):
    """What an organization's keys may be; a lowered cap reaches keys already issued."""

    max_key_age: Duration | None = Field(None, examples=["90d"])
    never_expires: bool = False


class CreateOrganization(Body):
    """A new tenant."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"examples": [{"name": "Acme", "policy": {"max_key_age": "90d", "never_expires": False}}]}
    )

    name: Name
    policy: PolicyBody = PolicyBody()


class EditOrganization(Body):
    """What to change; what is not sent stays. A suspended organization's keys are refused."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"examples": [{"policy": {"max_key_age": "30d"}}]}
    )

    name: Name | None = None
    policy: PolicyBody | None = None
    suspended: bool | None = None


class WhoAnswer(Answer):
    """Who acted."""

    kind: Literal["key", "person", "machine", "system"]
    id: str


class SecretAnswer(Answer):
    """A secret of a key, without the secret."""

    number: int
    created_at: Time
    until: Time | None = None


class Revocation(Answer):
    """That a key was revoked, when and why."""

    at: Time
    reason: str
    comment: str | None = None


class KeyAnswer(Answer):
    """A key as people see it."""

    id: KeyIdText
    name: str
    organization: str
    environment: str
    status: Literal["active", "expired", "revoked"]
    permissions: list[str]
    purpose: str = Field(description="The permissions in words")
    nearest_preset: str | None = None
    created_at: Time
    created_by: WhoAnswer
    expires_at: Time | None = Field(None, description="None: never")
    allowed_networks: list[str]
    metadata: dict[str, str]
    secrets: list[SecretAnswer]
    revocation: Revocation | None = None
    last_used: Time | None = Field(None, description="None: never, as far as the audit log has been folded")
    version: int
    warnings: list[str] = Field(default=[], description="What the caller should know about the change just made")


class IssuedKey(Answer):
    """A key and its secret, which appears here and nowhere else; None where the call was a repeat."""

    key: KeyAnswer
    secret: str | None = Field(repr=False)


class KeyPage(Answer):
    """Keys, and where to go on."""

    items: list[KeyAnswer]
    next: str | None = None


class ReachAnswer(Answer):
    """The operations a grant opens, and how many it does not."""

    permissions: list[str]
    open: list[str]
    public: list[str]
    closed_count: int


class WhoamiAnswer(Answer):
    """What the calling key is, holds and can reach."""

    key: KeyAnswer
    organization: str
    reach: ReachAnswer


class PermissionAnswer(Answer):
    """One permission of the catalog."""

    name: str
    title: str
    level: str
    observes: bool
    implies: list[str] = Field(default=[], description="What it brings along")
    opens: list[str] = Field(default=[], description="The operations it has a part in opening")


class ResourceAnswer(Answer):
    """One resource and its permissions."""

    name: str
    title: str
    group: str
    covers: str
    permissions: list[PermissionAnswer]


class PermissionsAnswer(Answer):
    """The catalog, as the permissions reference."""

    catalog: str
    levels: list[str]
    resources: list[ResourceAnswer]
    public: list[str] = Field(default=[], description="The operations that need no key")
    any_key: list[str] = Field(default=[], description="The operations that any live key opens")


class PresetAnswer(Answer):
    """A named set of permissions for a purpose."""

    name: str
    title: str
    permissions: list[str]


class PresetsAnswer(Answer):
    """The catalog's presets."""

    items: list[PresetAnswer]


class PolicyAnswer(Answer):
    """An organization's policy."""

    max_key_age: str | None
    never_expires: bool


class OrganizationAnswer(Answer):
    """A tenant."""

    id: OrganizationIdText
    name: str
    operator: bool
    suspended: bool
    policy: PolicyAnswer
    version: int


class OrganizationPage(Answer):
    """Tenants, and where to go on."""

    items: list[OrganizationAnswer]
    next: str | None = None


class VerifyAnswer(Answer):
    """The answer to a question about a key. To another organization's key everything else is withheld."""

    allowed: bool
    code: str | None = None
    key_id: str | None = None
    organization: str | None = None
    environment: str | None = None
    permissions: list[str] = []
    missing: list[str] = []
    expires_at: Time | None = None
    position: int
    age: int | None = Field(None, description="How far behind the answer may be, in milliseconds; null: not known")
    stale: bool


class JournalAnswer(Answer):
    """Which record of the file comes next: all before it are recorded."""

    next: int
