"""What commands act on where a server is named: operations and log over HTTP, in the words of those at home."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self, TypeVar

from pydantic import BaseModel

from scopekey.audit.source import LogSource
from scopekey.audit.tiles import bundle_path, width_at
from scopekey.client import ApiError, RefusedError, ScopekeyClient, calls
from scopekey.client.audit_source import FetchedFiles, TiledLog
from scopekey.client.calls import Call
from scopekey.core.problem import ProblemError
from scopekey.wire.audit import EntryPage, ExportFormat, ProvenEntry
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
)
from scopekey.wire.usage import UsageAnswer

Answer = TypeVar("Answer")


class NoAnswerError(Exception):
    """What answered is no server of Scopekey's, or one whose words this version does not know."""


class Server:
    """A server, called with one key. A person waits: nothing is tried again."""

    def __init__(self, url: str, key: str) -> None:
        """Raises ConfigurationError where the key may not be sent there."""
        self.client: ScopekeyClient = ScopekeyClient(key, environment=url, retries=0)

    def create_key(self, body: CreateKey) -> IssuedKey:
        """Issue a key."""
        return self._run(calls.create_key(_said(body), self.client.fresh()))

    def list_keys(self, **query: str | int | None) -> KeyPage:
        """List keys, one page; the arguments are the call's query parameters."""
        return self._run(calls.list_keys(query))

    def show_key(self, key_id: str) -> KeyAnswer:
        """Show a key."""
        return self._run(calls.show_key(key_id))

    def edit_key(self, key_id: str, body: EditKey, *, version: int | None = None) -> KeyAnswer:
        """Change a key in place."""
        return self._run(calls.edit_key(key_id, _said(body), version))

    def rotate_key(self, key_id: str, body: RotateKey) -> IssuedKey:
        """Give a key a new secret."""
        return self._run(calls.rotate_key(key_id, _said(body), None, self.client.fresh()))

    def revoke_key(self, key_id: str, body: RevokeKey) -> KeyAnswer:
        """End a key."""
        return self._run(calls.revoke_key(key_id, _said(body)))

    def reach_key(self, key_id: str) -> ReachAnswer:
        """List what a key can call."""
        return self._run(calls.reach_key(key_id, {}))

    def key_usage(self, key_id: str, *, days: int) -> UsageAnswer:
        """Tell what a key was used for."""
        return self._run(calls.key_usage(key_id, days))

    def create_organization(self, body: CreateOrganization) -> OrganizationAnswer:
        """Make a tenant."""
        return self._run(calls.create_organization(_said(body)))

    def list_organizations(self, **query: str | int | None) -> OrganizationPage:
        """List tenants, one page."""
        return self._run(calls.list_organizations(query))

    def show_organization(self, organization_id: str) -> OrganizationAnswer:
        """Show a tenant."""
        return self._run(calls.show_organization(organization_id))

    def edit_organization(
        self, organization_id: str, body: EditOrganization, *, version: int | None = None
    ) -> OrganizationAnswer:
        """Change a tenant."""
        return self._run(calls.edit_organization(organization_id, _said(body), version))

    @contextmanager
    def whole(self) -> Iterator[LogSource | None]:
        """All of the log as of its newest checkpoint; None where the key may not read all of it."""
        source = TiledLog(self.show_checkpoint(), FetchedFiles(self.show_tile))
        try:
            self.show_tile(bundle_path(0, width_at(0, 0, source.size)))
        except ProblemError as error:
            if error.problem.code != "not_found":
                raise
            yield None
        else:
            yield source

    def own_key(self) -> str:
        """The id of the key that asks."""
        return self._run(calls.whoami()).key.id

    def search_log(self, **query: str | int | None) -> EntryPage:
        """Find entries, one page; the arguments are the call's query parameters."""
        return self._run(calls.search_log(query))

    def show_entry(self, index: int) -> ProvenEntry:
        """Show an entry and its proof."""
        return self._run(calls.show_entry(index))

    def show_checkpoint(self) -> str:
        """Show the newest checkpoint, as the note that was signed."""
        return self._run(calls.show_checkpoint())

    def show_public_key(self) -> str:
        """Show what the server says checkpoints are verified with."""
        return self._run(calls.show_public_key())

    def show_tile(self, path: str) -> bytes:
        """Fetch a hash tile or a bundle of entries by its path, `tile/0/x001/234`."""
        return self._run(calls.show_tile(path))

    def export_log(self, form: ExportFormat, **query: str | int | None) -> Iterator[bytes]:
        """Fetch all entries that are looked for, part by part."""
        with _told():
            yield from self.client.stream(calls.export_log({**query, "format": form}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def _run(self, call: Call[Answer]) -> Answer:
        with _told():
            return self.client.run(call)


@contextmanager
def _told() -> Iterator[None]:
    """Raise a refusal as the operations at home do. Raises ProblemError, UnreachableError, NoAnswerError."""
    try:
        yield
    except RefusedError as error:
        raise ProblemError(error.code, error.detail, **error.told.more) from None
    except ApiError as error:
        if error.problem_code is None:
            raise NoAnswerError(f"the server answered {error.status} without saying why") from None
        raise NoAnswerError(f"the server answered {error.problem_code}, which this version does not know") from None


def _said(body: BaseModel) -> Mapping[str, object]:
    return body.model_dump(mode="json", exclude_unset=True)
