"""Where a connection leads: the settings of each kind of system, and what can be told of them without calling it.

Settings are shown to whoever may read connections, so nothing secret fits into them: a credential has its own field.
"""

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from scopekey.demo.text import Line

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=100)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253)]
HIGHEST_PORT = 65_535


def _plain_url(url: str) -> str:
    """An address that carries nothing but where it is."""
    # The words never repeat the address: what is wrong with it may be the password in it.
    try:
        parts = urlsplit(url)
        host, userinfo = parts.hostname, parts.username is not None or parts.password is not None
    except ValueError:
        raise ValueError("the address cannot be read") from None
    if parts.scheme != "https" or not host:
        raise ValueError("an address begins with https:// and names a host")
    if userinfo or parts.query or parts.fragment:
        raise ValueError("an address has no user, no query and no fragment; a secret belongs into the credential")
    return url


class _Settings(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


class S3(_Settings):
    """A bucket of an object store. Its credential is `ACCESS_KEY_ID:SECRET`."""

    kind: Literal["s3"]
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["acme-exports"])
    region: Word = Field(examples=["eu-central-1"])
    prefix: Line = Field(default="", examples=["daily/"])


class Postgres(_Settings):
    """A PostgreSQL database. Its credential is the password."""

    kind: Literal["postgres"]
    host: Host = Field(examples=["db.example.com"])
    port: int = Field(default=5432, ge=1, le=HIGHEST_PORT)
    database: Word = Field(examples=["warehouse"])
    user: Word = Field(examples=["loader"])


class Webhook(_Settings):
    """An HTTPS address that is posted to. Its credential, where it has one, signs what is sent."""

    kind: Literal["webhook"]
    url: Annotated[str, Field(max_length=2_000), AfterValidator(_plain_url)] = Field(
        examples=["https://hooks.example.com/orders"]
    )


Settings = Annotated[S3 | Postgres | Webhook, Field(discriminator="kind")]
_SETTINGS: TypeAdapter[S3 | Postgres | Webhook] = TypeAdapter(Settings)


def read_settings(stored: str) -> S3 | Postgres | Webhook:
    """Settings as they were stored. Raises ValidationError."""
    return _SETTINGS.validate_json(stored)


def faults(stored: str, credential: str | None) -> list[str]:
    """What is wrong with a connection, as far as that can be told without calling anybody; never quotes either."""
    try:
        settings = read_settings(stored)
    except ValidationError:
        return ["The settings are not ones that are offered any more; write them again."]
    if settings.kind != "webhook" and not credential:
        return [f"A connection to {settings.kind} needs a credential, and has none."]
    if settings.kind == "s3" and not all((credential or "").partition(":")):
        return ["The credential of an s3 connection is ACCESS_KEY_ID:SECRET; this one is not."]
    return []
