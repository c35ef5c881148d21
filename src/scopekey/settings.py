"""Settings, from ``SCOPEKEY_*`` in the environment or from ``scopekey.toml``, and where the home folder keeps what.

A missing security value refuses to start; it never opens a door.
"""

import os
import re
import secrets
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from scopekey.core.digest import PEPPER_SIZE, Pepper
from scopekey.core.ids import PepperId
from scopekey.core.keyformat import KeyFormat
from scopekey.core.network import Network, parse_network
from scopekey.wire.times import parse_duration


class MissingSecretError(RuntimeError):
    """A value without which nothing may start; says where it is looked for and how to make it."""


def _millis(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _words(value: object) -> object:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _networks(value: object) -> object:
    words = _words(value)
    return (
        [parse_network(word) if isinstance(word, str) else word for word in words] if isinstance(words, list) else words
    )


def _bytes(value: object) -> object:
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return value if found is None else int(found[1]) << _SHIFTS[found[2] or ""]


_SIZE = re.compile(r"([0-9]{1,15}) ?(KiB|MiB|GiB|TiB)?")
_SHIFTS = {"": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}
Bytes = Annotated[int, BeforeValidator(_bytes)]
Millis = Annotated[int, BeforeValidator(_millis)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
LOOPBACK: tuple[Network, ...] = (parse_network("127.0.0.0/8"), parse_network("::1/128"))


class Settings(BaseSettings):
    """Everything that can be set. Durations are written `5s`, `15m`, `90d`."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="SCOPEKEY_", toml_file="scopekey.toml", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(
        Path(".scopekey"), description="The folder of the store, the replica, the pepper and the signing key."
    )
    database_url: SecretStr | None = Field(
        None, description="The store; SQLite in the home folder where it is not set."
    )
    catalog: Path | None = Field(None, description="The catalog's file; taken into the store when it has none.")
    rules: Path | None = Field(None, description="The rules' file; taken into the store when it has none.")
    pepper: SecretStr | None = Field(
        None,
        description="The pepper as 64 hexadecimal digits, retired ones after it, with commas; else the file `pepper`.",
    )
    signing_key: SecretStr | None = Field(
        None, description="The log's Ed25519 signing key as 64 hexadecimal digits; else the file `signing_key`."
    )
    upstream: str | None = Field(
        None, description="Where a gateway follows: the address of a control plane, or of a gateway that relays it."
    )
    key_file: Path | None = Field(
        None,
        description="The file of a gateway's key for its upstream, read at each request; else `SCOPEKEY_API_KEY`.",
    )
    trusted_proxies: Networks = Field(
        LOOPBACK,
        description="The networks of proxies that may ask the check doors, with commas; a Unix socket is trusted.",
    )
    key_prefix: str = Field("sck", description="What every printed key begins with: 2 to 12 of a-z and 0-9.")
    environments: Words = Field(
        ("live", "test"), description="The environments a key can belong to, separated by commas."
    )
    host: str = Field("127.0.0.1", description="The address that `serve` and `gateway` listen on.")
    port: int = Field(8700, ge=0, le=65535, description="The port that `serve` and `gateway` listen on.")
    socket: Path | None = Field(
        None,
        description="A Unix socket that `serve` and `gateway` listen on too; who can open its file may ask the doors.",
    )
    workers: int = Field(1, ge=1, le=64, description="How many worker processes `serve` and `gateway` run.")
    missing_permission_status: Literal[401, 403] = Field(
        401, description="The status of a call that lacks a permission."
    )
    stale_after: Millis = Field(5_000, ge=0, description="From how far behind decisions are marked stale.")
    refuse_after: Millis = Field(900_000, ge=0, description="From how far behind a verifier refuses to answer.")
    journal: Literal["strict", "writes", "relaxed"] = Field(
        "writes",
        description="What is on disk before its answer: `strict` every decision about a genuine key; `writes` those "
        "about what may change something, and denials; `relaxed` none.",
    )
    journal_limit: Bytes = Field(
        1 << 30,
        ge=1 << 20,
        description="How many bytes of decisions nobody took over yet may lie in the home folder: `1GiB`, `512MiB`.",
    )
    default_lifetime: Millis = Field(
        90 * 86_400_000, gt=0, description="How long a key lives that is made without an end."
    )
    log_origin: str | None = Field(
        None,
        pattern=r"^[^\s+]{1,200}$",
        description="The audit log's name, as in `example.com/audit`: given once, when its first entry is sealed.",
    )
    log_heads: Words = Field(
        (),
        description="Files that each checkpoint of the log is appended to, with commas; `-` is standard output.",
    )
    audit_reads: Literal["each", "counted"] = Field(
        "each",
        description="Whether allowed reads are each an entry of the log, or are counted by key, permission and minute.",
    )
    audit_keep: Millis | None = Field(
        None, gt=0, description="How long entries stay in the database before they are moved to the archive."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How `serve` and `gateway` log to standard error: lines for people, or JSON, one a line."
    )
    audit_archive: Path | None = Field(
        None, description="The folder to which `audit archive`, and `serve` by itself, moves older entries of the log."
    )

    @field_validator("environments")
    @classmethod
    def _some_environment(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        KeyFormat("sck", value)
        return value

    @field_validator("key_prefix")
    @classmethod
    def _good_prefix(cls, value: str) -> str:
        KeyFormat(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings calls it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in the program comes first, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def key_format(self) -> KeyFormat:
        """The form of this deployment's keys."""
        return KeyFormat(self.key_prefix, self.environments)

    @property
    def store_url(self) -> str:
        """Where the store is."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'scopekey.db').absolute()}"

    @property
    def replica_path(self) -> Path:
        """Where the replica is."""
        return self.home / "replica"

    @property
    def journal_path(self) -> Path:
        """Where the journal's files are."""
        return self.home / "journal"

    def node_id(self) -> str:
        """The id under which this machine hands in decisions: 16 hexadecimal digits, made once. Raises OSError."""
        file = self.home / "node"
        if not file.exists():
            # Whole from the beginning: processes that start together would read each other's half of it.
            fresh = file.with_name(f"node.{os.getpid()}-{secrets.token_hex(4)}")
            write_private(fresh, secrets.token_hex(8) + "\n")
            with suppress(FileExistsError):
                os.link(fresh, file)
            fresh.unlink()
        return file.read_text("ascii").strip()

    def peppers(self) -> tuple[Pepper, ...]:
        """The current pepper and the retired ones after it. Raises MissingSecretError."""
        words = _secret_words(self.pepper, self.home / "pepper", "SCOPEKEY_PEPPER")
        return tuple(Pepper(_unhex(word, PEPPER_SIZE, "pepper")) for word in words)

    def pepper_ring(self) -> dict[PepperId, Pepper]:
        """Every pepper by its id."""
        return {pepper.id: pepper for pepper in self.peppers()}

    def signing_seed(self) -> bytes:
        """The 32 bytes of the log's Ed25519 key. Raises MissingSecretError."""
        return _unhex(
            _secret_words(self.signing_key, self.home / "signing_key", "SCOPEKEY_SIGNING_KEY")[0], 32, "signing key"
        )


def _secret_words(given: SecretStr | None, file: Path, variable: str) -> list[str]:
    if given is not None:
        text = given.get_secret_value()
    elif file.exists():
        text = file.read_text("ascii", errors="replace")
    else:
        raise MissingSecretError(
            f"there is no {file.name.replace('_', ' ')}: neither {variable} is set nor does {file} exist; "
            "run `scopekey init` to make a home folder, or copy the value from the node that has it"
        )
    words = text.replace(",", " ").split()
    if not words:
        raise MissingSecretError(f"{variable} or {file} is empty; put 64 hexadecimal digits there")
    return words


def _unhex(word: str, size: int, what: str) -> bytes:
    try:
        value = bytes.fromhex(word)
    except ValueError:
        value = b""
    if len(value) != size:
        raise MissingSecretError(f"the {what} must be written as {2 * size} hexadecimal digits")
    return value


def write_private(file: Path, text: str) -> None:
    """Write a new file that only its owner can read (0600). Raises FileExistsError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
