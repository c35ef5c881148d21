"""Each call of Scopekey's own API, described once for both clients: what is sent, and how its answer is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from pydantic import BaseModel

from scopekey.client.errors import ConfigurationError
from scopekey.client.given import refuse_others
from scopekey.wire.audit import EntryPage, ProvenEntry
from scopekey.wire.resources import (
    IssuedKey,
    KeyAnswer,
    KeyPage,
    OrganizationAnswer,
    OrganizationPage,
    PermissionsAnswer,
    PresetsAnswer,
    ReachAnswer,
    VerifyAnswer,
    WhoamiAnswer,
)
from scopekey.wire.usage import UsageAnswer

ENTRIES = "/v1/audit/entries"
"""Where entries are asked for."""
Answer = TypeVar("Answer")
Model = TypeVar("Model", bound=BaseModel)
Words = Mapping[str, object]


class KeyFields(TypedDict, total=False):
    """What a key is made with, or what is to change: what is not given stays. Durations are as in `90d`."""

    name: str
    permissions: Sequence[str]
    expires_in: str
    expires_at: str
    never_expires: bool
    allowed_networks: Sequence[str]
    metadata: Mapping[str, str]


class NewKeyFields(KeyFields, total=False):
    """A preset in the place of permissions, the environment, and, for the operator, another organization."""

    preset: str
    environment: str
    organization: str


class OrganizationFields(TypedDict, total=False):
    """What is to change of a tenant; what is not given stays."""

    name: str
    policy: Mapping[str, object]
    suspended: bool


Reason = Literal["compromised", "superseded", "unused", "other"]


class KeyQuery(TypedDict, total=False):
    """Which keys to list. `limit` is how many a page has."""

    organization: str
    status: Literal["active", "expired", "revoked"]
    permission: str
    text: str
    expiring_within: str
    unused_since: str
    limit: int


class _KeyCall(KeyQuery, total=False):
    cursor: str | None


class EntryFilter(TypedDict, total=False):
    """Which entries of the audit log are looked for."""

    after: int
    organization: str
    key: str
    permission: str
    category: str
    decision: str
    kind: Literal["change", "decision", "refusals", "reads", "gap"]
    action: str
    operation: str
    request_id: str
    actor: str
    since: str
    until: str


class EntryQuery(EntryFilter, total=False):
    """The same, which of them first, and how many a page has."""

    order: Literal["newest", "oldest"]
    limit: int


class _EntryCall(EntryQuery, total=False):
    cursor: str | None


class _ExportCall(EntryFilter, total=False):
    format: str


class Call(msgspec.Struct, Generic[Answer], frozen=True):
    """A call before it is sent. `read` makes of the answer what the caller gets."""

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    query: Words = {}
    json: object = None
    headers: Mapping[str, str] = {}


def whoami() -> Call[WhoamiAnswer]:
    return Call("GET", "/v1/whoami", _as(WhoamiAnswer))


def list_permissions() -> Call[PermissionsAnswer]:
    return Call("GET", "/v1/permissions", _as(PermissionsAnswer))


def list_presets() -> Call[PresetsAnswer]:
    return Call("GET", "/v1/presets", _as(PresetsAnswer))


def create_key(fields: Words, idempotency_key: str) -> Call[IssuedKey]:
    return Call("POST", "/v1/keys", _as(IssuedKey), json=fields, headers=_once(idempotency_key))


def list_keys(query: Words) -> Call[KeyPage]:
    refuse_others(query, _KeyCall)
    return Call("GET", "/v1/keys", _as(KeyPage), query)


def show_key(key_id: str) -> Call[KeyAnswer]:
    return Call("GET", f"/v1/keys/{_part(key_id)}", _as(KeyAnswer))


def edit_key(key_id: str, fields: Words, version: int | None) -> Call[KeyAnswer]:
    return Call("PATCH", f"/v1/keys/{_part(key_id)}", _as(KeyAnswer), json=fields, headers=_match(version))


def rotate_key(key_id: str, fields: Words, version: int | None, idempotency_key: str) -> Call[IssuedKey]:
    headers = _once(idempotency_key) | _match(version)
    return Call("POST", f"/v1/keys/{_part(key_id)}/rotate", _as(IssuedKey), json=fields, headers=headers)


def revoke_key(key_id: str, fields: Words) -> Call[KeyAnswer]:
    return Call("POST", f"/v1/keys/{_part(key_id)}/revoke", _as(KeyAnswer), json=fields)


def revoke_self(fields: Words) -> Call[KeyAnswer]:
    return Call("POST", "/v1/keys/self/revoke", _as(KeyAnswer), json=fields)


def reach_key(key_id: str, query: Words) -> Call[ReachAnswer]:
    return Call("GET", f"/v1/keys/{_part(key_id)}/reach", _as(ReachAnswer), query)


def key_usage(key_id: str, days: int | None) -> Call[UsageAnswer]:
    return Call("GET", f"/v1/keys/{_part(key_id)}/usage", _as(UsageAnswer), {"days": days})


def verify(fields: Words) -> Call[VerifyAnswer]:
    return Call("POST", "/v1/verify", _as(VerifyAnswer), json=fields)


def create_organization(fields: Words) -> Call[OrganizationAnswer]:
    return Call("POST", "/v1/organizations", _as(OrganizationAnswer), json=fields)


def list_organizations(query: Words) -> Call[OrganizationPage]:
    return Call("GET", "/v1/organizations", _as(OrganizationPage), query)


def show_organization(organization_id: str) -> Call[OrganizationAnswer]:
    return Call("GET", f"/v1/organizations/{_part(organization_id)}", _as(OrganizationAnswer))


def edit_organization(organization_id: str, fields: Words, version: int | None) -> Call[OrganizationAnswer]:
    path = f"/v1/organizations/{_part(organization_id)}"
    return Call("PATCH", path, _as(OrganizationAnswer), json=fields, headers=_match(version))


def search_log(query: Words) -> Call[EntryPage]:
    refuse_others(query, _EntryCall)
    return Call("GET", ENTRIES, _as(EntryPage), query)


def show_entry(index: int) -> Call[ProvenEntry]:
    return Call("GET", f"{ENTRIES}/{index:d}", _as(ProvenEntry))


def show_checkpoint() -> Call[str]:
    return Call("GET", "/v1/audit/checkpoint", _text)


def show_public_key() -> Call[str]:
    return Call("GET", "/v1/audit/key", lambda response: _text(response).strip())


def show_tile(path: str) -> Call[bytes]:
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ConfigurationError("bad_request", "A tile is as in tile/0/x001/234.")
    return Call("GET", f"/v1/audit/{quote(path)}", lambda response: response.content)


def export_log(query: Words) -> Call[httpx.Response]:
    refuse_others(query, _ExportCall)
    return Call("GET", "/v1/audit/export", lambda response: response, query)


def _as(model: type[Model]) -> Callable[[httpx.Response], Model]:
    return lambda response: model.model_validate_json(response.content)


def _text(response: httpx.Response) -> str:
    return response.content.decode("utf-8", "replace")


def _part(identity: str) -> str:
    """An id as one segment of a path, whatever stands in it."""
    if not identity:
        raise ConfigurationError("bad_request", "An id is missing.")
    # Dots too: a segment of dots alone would be walked.
    return quote(identity, safe="").replace(".", "%2E")


def _once(idempotency_key: str) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key}


def _match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}
