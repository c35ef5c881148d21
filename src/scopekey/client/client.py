"""The client: for the calls of a platform that Scopekey guards, and for Scopekey's own API."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Literal, Self, TypeVar, Unpack

import httpx

from scopekey.client import calls
from scopekey.client.calls import (
    Call,
    EntryFilter,
    EntryQuery,
    KeyFields,
    KeyQuery,
    NewKeyFields,
    OrganizationFields,
    Reason,
)
from scopekey.client.errors import ScopekeyError
from scopekey.client.fields import no_cookies
from scopekey.client.paging import Paged
from scopekey.client.refusal import refusal_of
from scopekey.client.session import Attempt, ClientOptions, EnvironmentOptions, Session, Surroundings, from_environment
from scopekey.wire.audit import LoggedEntry, ProvenEntry
from scopekey.wire.resources import (
    IssuedKey,
    KeyAnswer,
    OrganizationAnswer,
    PermissionsAnswer,
    PresetsAnswer,
    ReachAnswer,
    VerifyAnswer,
    WhoamiAnswer,
)
from scopekey.wire.usage import UsageAnswer

Answer = TypeVar("Answer")
_EXPORT = httpx.Timeout(30.0, read=600.0)


class ScopekeyClient:
    """Calls a platform whose keys Scopekey checks, and Scopekey's own API, with one key.

    Whatever is no success is raised as a `ScopekeyError`. Calls that may be repeated are tried again (spec/clients.md).
    """

    def __init__(
        self,
        api_key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        surroundings: Surroundings | None = None,
        sleep: Callable[[float], object] = time.sleep,
        **options: Unpack[ClientOptions],
    ) -> None:
        """Raises ConfigurationError where key and addresses do not fit."""
        self._session = Session(api_key, options, surroundings or Surroundings())
        self._http = httpx.Client(transport=transport, trust_env=self._session.trust_env, cookies=no_cookies())
        self._sleep = sleep

    @classmethod
    def from_environment(
        cls, *, transport: httpx.BaseTransport | None = None, **options: Unpack[EnvironmentOptions]
    ) -> Self:
        """A client as the environment says it (`SCOPEKEY_API_KEY`, `SCOPEKEY_ENVIRONMENT`…); what is given wins."""
        api_key, found = from_environment(options)
        return cls(api_key, transport=transport, **found)

    def set_api_key(self, api_key: str) -> None:
        """Use another key from the next call on. Raises ConfigurationError where it does not fit."""
        self._session.use(api_key)

    def get_api_key(self, *, reveal: bool = False) -> str:
        """The key as it may be shown, `sck_live_Ab3dEf6hIj9k…`; the whole one only where it is asked for."""
        secret = self._session.secret
        return secret.reveal() if reveal else secret.shown

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | Sequence[str]] | None = None,
        json: object = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> httpx.Response:
        """Call the platform. Gives the good answer (2xx), which has been read; everything else is raised.

        `idempotency_key` makes it safe to try any call again.
        """
        given = dict(headers or {})
        if idempotency_key is not None:
            given["Idempotency-Key"] = idempotency_key
        attempt = self._session.platform(
            method, path, given, params=params, json=json, content=content, timeout=timeout
        )
        return self._send(attempt, lambda response: response)

    def whoami(self) -> WhoamiAnswer:
        """Tell what the calling key is, holds and can reach, and when it ends. Any live key may ask."""
        return self.run(calls.whoami())

    def list_permissions(self) -> PermissionsAnswer:
        """List the permissions there are, by resource and group."""
        return self.run(calls.list_permissions())

    def list_presets(self) -> PresetsAnswer:
        """List the presets: sets of permissions for a purpose."""
        return self.run(calls.list_presets())

    def create_key(self, *, idempotency_key: str | None = None, **fields: Unpack[NewKeyFields]) -> IssuedKey:
        """Issue a key. Its secret is in this answer and nowhere else; None where an answer to the call was lost."""
        return self.run(calls.create_key(fields, idempotency_key or self.fresh()))

    def list_keys(self, **query: Unpack[KeyQuery]) -> Paged[KeyAnswer]:
        """List keys, oldest first."""
        return Paged(lambda cursor: self.run(calls.list_keys({**query, "cursor": cursor})))

    def show_key(self, key_id: str) -> KeyAnswer:
        """Show a key."""
        return self.run(calls.show_key(key_id))

    def edit_key(self, key_id: str, *, version: int | None = None, **fields: Unpack[KeyFields]) -> KeyAnswer:
        """Change a key in place; its secret stays. `version` refuses it where the key was changed in between."""
        return self.run(calls.edit_key(key_id, fields, version))

    def rotate_key(
        self,
        key_id: str,
        *,
        overlap: str = "24h",
        replace: Literal["old", "new"] | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> IssuedKey:
        """Give a key a new secret; the old one goes on until the overlap ends."""
        return self.run(
            calls.rotate_key(key_id, {"overlap": overlap, "replace": replace}, version, idempotency_key or self.fresh())
        )

    def revoke_key(self, key_id: str, *, reason: Reason, comment: str | None = None) -> KeyAnswer:
        """End a key, for good."""
        return self.run(calls.revoke_key(key_id, {"reason": reason, "comment": comment}))

    def revoke_self(self, *, reason: Reason, comment: str | None = None) -> KeyAnswer:
        """End the calling key. A key may always do that."""
        return self.run(calls.revoke_self({"reason": reason, "comment": comment}))

    def reach_key(self, key_id: str, *, with_: Sequence[str] = (), without: Sequence[str] = ()) -> ReachAnswer:
        """List the operations that a key can call; `with_` and `without` ask what would be if."""
        return self.run(calls.reach_key(key_id, {"with": list(with_), "without": list(without)}))

    def key_usage(self, key_id: str, *, days: int | None = None) -> UsageAnswer:
        """Tell what a key was used for: each permission and each secret, by day."""
        return self.run(calls.key_usage(key_id, days))

    def verify(
        self,
        key: str,
        *,
        permissions: Sequence[str] | None = None,
        operation: str | None = None,
        address: str | None = None,
    ) -> VerifyAnswer:
        """Tell whether another key may do something: either all of some permissions, or an operation."""
        return self.run(
            calls.verify({"key": key, "permissions": permissions, "operation": operation, "address": address})
        )

    def create_organization(self, name: str, *, policy: Mapping[str, object] | None = None) -> OrganizationAnswer:
        """Make a tenant."""
        return self.run(calls.create_organization({"name": name, **({} if policy is None else {"policy": policy})}))

    def list_organizations(self, *, limit: int | None = None) -> Paged[OrganizationAnswer]:
        """List tenants, oldest first."""
        return Paged(lambda cursor: self.run(calls.list_organizations({"limit": limit, "cursor": cursor})))

    def show_organization(self, organization_id: str) -> OrganizationAnswer:
        """Show a tenant."""
        return self.run(calls.show_organization(organization_id))

    def edit_organization(
        self, organization_id: str, *, version: int | None = None, **fields: Unpack[OrganizationFields]
    ) -> OrganizationAnswer:
        """Change a tenant."""
        return self.run(calls.edit_organization(organization_id, fields, version))

    def search_log(self, **query: Unpack[EntryQuery]) -> Paged[LoggedEntry]:
        """Find entries of the audit log."""
        return Paged(lambda cursor: self.run(calls.search_log({**query, "cursor": cursor})))

    def show_entry(self, index: int) -> ProvenEntry:
        """Show an entry, with the proof that it is in the log."""
        return self.run(calls.show_entry(index))

    def show_checkpoint(self) -> str:
        """Show the newest checkpoint: a signed note (C2SP tlog-checkpoint)."""
        return self.run(calls.show_checkpoint())

    def show_public_key(self) -> str:
        """Show what checkpoints are verified with (C2SP signed-note). Compare it with one that came another way."""
        return self.run(calls.show_public_key())

    def show_tile(self, path: str) -> bytes:
        """Fetch a hash tile or a bundle of entries by its path, `tile/0/x001/234`."""
        return self.run(calls.show_tile(path))

    def export_log(self, form: Literal["jsonl", "csv"] = "jsonl", **query: Unpack[EntryFilter]) -> Iterator[bytes]:
        """Fetch all entries that are looked for, the oldest first, part by part."""
        call = calls.export_log({**query, "format": form})
        yield from self.stream(call)

    def stream(self, call: Call[httpx.Response]) -> Iterator[bytes]:
        """Make a call whose answer is too long to be held, and give it part by part. It is not tried again."""
        attempt = self._session.began(self._session.own(call))
        sent = attempt.request | {"timeout": _EXPORT}
        begun: httpx.Response | None = None
        try:
            with self._http.stream(attempt.method, attempt.url, **sent) as response:
                begun = response
                self._session.learn(attempt, response)
                if response.is_success:
                    yield from response.iter_bytes()
                    return
                response.read()
            raise refusal_of(response, self._session.surroundings.now(), attempt.secret)
        except httpx.HTTPError as error:
            failure = self._session.failed(attempt, error, begun)
        # Raised out here, so that the error that holds the request is not its context.
        raise failure

    def run(self, call: Call[Answer]) -> Answer:
        """Make a call of Scopekey's own API."""
        return self._send(self._session.own(call), call.read)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fresh(self) -> str:
        """A new idempotency key."""
        return self._session.surroundings.fresh()

    def __repr__(self) -> str:
        return f"ScopekeyClient({self._session})"

    def _send(self, attempt: Attempt, read: Callable[[httpx.Response], Answer]) -> Answer:
        while True:
            try:
                return self._try(attempt, read)
            except ScopekeyError as error:
                wait = self._session.wait(error, attempt)
                if wait is None:
                    raise
            self._sleep(wait)

    def _try(self, attempt: Attempt, read: Callable[[httpx.Response], Answer]) -> Answer:
        self._session.began(attempt)
        try:
            response = self._http.request(attempt.method, attempt.url, **attempt.request)
        except httpx.HTTPError as error:
            failure = self._session.failed(attempt, error, None)
        else:
            return self._session.answered(attempt, response, read)
        # Raised out here, so that the error that holds the request is not its context.
        raise failure
