"""The management API over HTTP, with the same words and types as the operations behind it."""

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from scopekey.core.problem import PROBLEMS, ProblemError
from scopekey.wire.resources import (
    CreateKey,
    CreateOrganization,
    EditKey,
    EditOrganization,
    IssuedKey,
    KeyAnswer,
    KeyPage,
    OrganizationAnswer,
    OrganizationPage,
    ReachAnswer,
    RevokeKey,
    RotateKey,
    Verify,
    VerifyAnswer,
    WhoamiAnswer,
)
from scopekey.wire.usage import UsageAnswer

Resource = TypeVar("Resource", bound=BaseModel)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_KEY = re.compile(r"[\x21-\x7e]+")


class UnreachableError(Exception):
    """The server did not answer; what was asked may or may not have happened."""


class ManagementClient:
    """Calls the management API with one key. Refuses to send it over plain HTTP but to loopback."""

    def __init__(self, url: str, key: str, *, timeout: float = 30.0) -> None:
        base = httpx.URL(url)
        if base.scheme != "https" and not (base.scheme == "http" and base.host in LOOPBACK):
            raise ValueError(f"{base.scheme}://{base.host} would carry the key in the clear: use https")
        if not _KEY.fullmatch(key):
            raise ValueError("the key is empty or holds characters that no key has: give it as it was printed")
        # A proxy of the environment would get plain HTTP to read.
        self._http = httpx.Client(
            base_url=base,
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout,
            trust_env=base.scheme == "https",
        )

    def create_key(self, body: CreateKey, *, idempotency_key: str | None = None) -> IssuedKey:
        """Issue a key."""
        return self._send("POST", "/v1/keys", IssuedKey, body, _repeat(idempotency_key))

    def list_keys(self, **query: str | int | None) -> KeyPage:
        """List keys, one page; the arguments are the call's query parameters."""
        return self._get("/v1/keys", KeyPage, query)

    def show_key(self, key_id: str) -> KeyAnswer:
        """Show a key."""
        return self._get(f"/v1/keys/{_part(key_id)}", KeyAnswer)

    def edit_key(self, key_id: str, body: EditKey, *, version: int | None = None) -> KeyAnswer:
        """Change a key in place."""
        return self._send("PATCH", f"/v1/keys/{_part(key_id)}", KeyAnswer, body, _match(version))

    def rotate_key(self, key_id: str, body: RotateKey, *, idempotency_key: str | None = None) -> IssuedKey:
        """Give a key a new secret."""
        return self._send("POST", f"/v1/keys/{_part(key_id)}/rotate", IssuedKey, body, _repeat(idempotency_key))

    def revoke_key(self, key_id: str, body: RevokeKey) -> KeyAnswer:
        """End a key."""
        return self._send("POST", f"/v1/keys/{_part(key_id)}/revoke", KeyAnswer, body)

    def reach_key(self, key_id: str, *, without: Sequence[str] = (), with_: Sequence[str] = ()) -> ReachAnswer:
        """List what a key can call."""
        return self._get(
            f"/v1/keys/{_part(key_id)}/reach", ReachAnswer, {"without": list(without), "with": list(with_)}
        )

    def key_usage(self, key_id: str, *, days: int | None = None) -> UsageAnswer:
        """Tell what a key was used for, by day for the last so many days."""
        return self._get(f"/v1/keys/{_part(key_id)}/usage", UsageAnswer, {"days": days})

    def whoami(self) -> WhoamiAnswer:
        """Ask what the calling key is."""
        return self._get("/v1/whoami", WhoamiAnswer)

    def verify(self, body: Verify) -> VerifyAnswer:
        """Ask about another key."""
        return self._send("POST", "/v1/verify", VerifyAnswer, body)

    def create_organization(self, body: CreateOrganization) -> OrganizationAnswer:
        """Make a tenant."""
        return self._send("POST", "/v1/organizations", OrganizationAnswer, body)

    def list_organizations(self, **query: str | int | None) -> OrganizationPage:
        """List tenants, one page."""
        return self._get("/v1/organizations", OrganizationPage, query)

    def show_organization(self, organization_id: str) -> OrganizationAnswer:
        """Show a tenant."""
        return self._get(f"/v1/organizations/{_part(organization_id)}", OrganizationAnswer)

    def edit_organization(
        self, organization_id: str, body: EditOrganization, *, version: int | None = None
    ) -> OrganizationAnswer:
        """Change a tenant."""
        return self._send(
            "PATCH", f"/v1/organizations/{_part(organization_id)}", OrganizationAnswer, body, _match(version)
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get(self, path: str, answer: type[Resource], query: Mapping[str, Any] | None = None) -> Resource:
        sent = {name: value for name, value in (query or {}).items() if value is not None}
        return self._read(self._ask("GET", path, params=sent), answer)

    def _send(
        self, method: str, path: str, answer: type[Resource], body: BaseModel, headers: Mapping[str, str] | None = None
    ) -> Resource:
        content = body.model_dump_json(exclude_unset=True)
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self._read(self._ask(method, path, content=content, headers=sent), answer)

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            # The type alone: the message of some errors repeats the request, and its key with it.
            raise UnreachableError(
                f"{self._http.base_url} did not answer ({type(error).__name__}): is it running, is the address right?"
            ) from None

    def _read(self, response: httpx.Response, answer: type[Resource]) -> Resource:
        if response.is_success:
            try:
                return answer.model_validate_json(response.content)
            except ValueError:
                # Without its cause: the message of a validation repeats what it read, a new secret perhaps.
                raise UnreachableError("the server answered something that is no answer of Scopekey's") from None
        raise problem_of(response)


def problem_of(response: httpx.Response) -> Exception:
    """What a refusal of the server means here: a ProblemError, or UnreachableError where it says nothing known."""
    try:
        document = response.json()
        code, detail = str(document["code"]), str(document["detail"])
    except (ValueError, KeyError, TypeError):
        return UnreachableError(f"the server answered {response.status_code} without saying why")
    if code not in PROBLEMS:
        return UnreachableError(f"the server answered {code}, which this version does not know: {detail}")
    usual = {"type", "title", "status", "detail", "code"}
    return ProblemError(code, detail, **{name: value for name, value in document.items() if name not in usual})


def _part(identity: str) -> str:
    """An id as one segment of a path, whatever stands in it."""
    # Dots too: a segment of dots alone would be walked.
    return quote(identity, safe="").replace(".", "%2E")


def _repeat(idempotency_key: str | None) -> dict[str, str]:
    return {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}


def _match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}
