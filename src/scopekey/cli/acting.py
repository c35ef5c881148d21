"""Who a command acts as, and on what: the home folder, or a server over HTTP.

Without ``SCOPEKEY_URL`` a command acts on the home folder: as the key in ``SCOPEKEY_API_KEY``, else as
the machine; ``--local`` forces the machine.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from scopekey.authority.actor import Caller
from scopekey.authority.edit_key import edit_key
from scopekey.authority.find_key import KeyQuery, list_keys, show_key
from scopekey.authority.issue_key import issue_key
from scopekey.authority.organizations import (
    create_organization,
    edit_organization,
    list_organizations,
    show_organization,
)
from scopekey.authority.reach_key import reach_key
from scopekey.authority.revoke_key import revoke_key
from scopekey.authority.rotate_key import rotate_key
from scopekey.client.management import ManagementClient
from scopekey.core.requirement import ANY_LIVE_KEY
from scopekey.server.node import Node
from scopekey.settings import Settings
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


class CannotActError(Exception):
    """The command cannot be carried out as it was given; says what to do."""


class Management(Protocol):
    """The operations a command can ask for, wherever they are carried out."""

    def create_key(self, body: CreateKey) -> IssuedKey:
        """Issue a key."""

    def list_keys(self, **query: str | int | None) -> KeyPage:
        """List keys, one page."""

    def show_key(self, key_id: str) -> KeyAnswer:
        """Show a key."""

    def edit_key(self, key_id: str, body: EditKey, *, version: int | None = None) -> KeyAnswer:
        """Change a key in place."""

    def rotate_key(self, key_id: str, body: RotateKey) -> IssuedKey:
        """Give a key a new secret."""

    def revoke_key(self, key_id: str, body: RevokeKey) -> KeyAnswer:
        """End a key."""

    def reach_key(self, key_id: str) -> ReachAnswer:
        """List what a key can call."""

    def create_organization(self, body: CreateOrganization) -> OrganizationAnswer:
        """Make a tenant."""

    def list_organizations(self, **query: str | int | None) -> OrganizationPage:
        """List tenants, one page."""

    def show_organization(self, organization_id: str) -> OrganizationAnswer:
        """Show a tenant."""

    def edit_organization(
        self, organization_id: str, body: EditOrganization, *, version: int | None = None
    ) -> OrganizationAnswer:
        """Change a tenant."""


class HomeManagement:
    """The operations on the home folder of this machine."""

    def __init__(self, node: Node, caller: Caller) -> None:
        self._authority = node.authority
        self._caller = caller

    def create_key(self, body: CreateKey) -> IssuedKey:
        """Issue a key."""
        return issue_key(self._authority, self._caller, body)[0]

    def list_keys(self, **query: str | int | None) -> KeyPage:
        """List keys, one page."""
        given = {name: value for name, value in query.items() if value is not None}
        return list_keys(self._authority, self._caller, KeyQuery(**given))  # type: ignore[arg-type]

    def show_key(self, key_id: str) -> KeyAnswer:
        """Show a key."""
        return show_key(self._authority, self._caller, key_id)

    def edit_key(self, key_id: str, body: EditKey, *, version: int | None = None) -> KeyAnswer:
        """Change a key in place."""
        return edit_key(self._authority, self._caller, key_id, body, version=version)[0]

    def rotate_key(self, key_id: str, body: RotateKey) -> IssuedKey:
        """Give a key a new secret."""
        return rotate_key(self._authority, self._caller, key_id, body)[0]

    def revoke_key(self, key_id: str, body: RevokeKey) -> KeyAnswer:
        """End a key."""
        return revoke_key(self._authority, self._caller, key_id, body)[0]

    def reach_key(self, key_id: str) -> ReachAnswer:
        """List what a key can call."""
        return reach_key(self._authority, self._caller, key_id)

    def create_organization(self, body: CreateOrganization) -> OrganizationAnswer:
        """Make a tenant."""
        return create_organization(self._authority, self._caller, body)[0]

    def list_organizations(self, **query: str | int | None) -> OrganizationPage:
        """List tenants, one page."""
        limit, cursor = query.get("limit"), query.get("cursor")
        return list_organizations(
            self._authority, self._caller, limit=int(limit or 50), cursor=None if cursor is None else str(cursor)
        )

    def show_organization(self, organization_id: str) -> OrganizationAnswer:
        """Show a tenant."""
        return show_organization(self._authority, self._caller, organization_id)

    def edit_organization(
        self, organization_id: str, body: EditOrganization, *, version: int | None = None
    ) -> OrganizationAnswer:
        """Change a tenant."""
        return edit_organization(self._authority, self._caller, organization_id, body, version=version)[0]


@contextmanager
def management(*, local: bool = False) -> Iterator[Management]:
    """Open what the command acts on. Raises CannotActError."""
    url, key = os.environ.get("SCOPEKEY_URL"), os.environ.get("SCOPEKEY_API_KEY")
    if url and not local:
        if not key:
            raise CannotActError("SCOPEKEY_URL is set but SCOPEKEY_API_KEY is not: name the key to act with")
        with ManagementClient(url, key) as client:
            yield client
        return
    with home() as node:
        yield HomeManagement(node, caller(node, None if local else key))


@contextmanager
def home() -> Iterator[Node]:
    """Open the home folder of this machine."""
    settings = Settings()
    if settings.database_url is None and not (settings.home / "scopekey.db").exists():
        raise CannotActError(
            f"there is no home folder at {settings.home}; make one with `scopekey init`, or set SCOPEKEY_HOME"
        )
    node = Node.open(settings)
    try:
        yield node
    finally:
        node.close()


def caller(node: Node, key: str | None) -> Caller:
    """Act as the key in the environment, or as the machine. Raises CannotActError for a key that is refused."""
    if not key:
        return Caller.machine()
    decision = node.verifier.decide_now(key, ANY_LIVE_KEY)
    if not decision or decision.key is None:
        raise CannotActError(
            "the key in SCOPEKEY_API_KEY is refused here; set another one, or use --local to act as this machine"
        )
    return Caller("key", decision.key.id)
