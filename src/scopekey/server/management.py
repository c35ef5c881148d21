"""The operations on the store of this machine: for the command line, and for applications that embed them."""

from scopekey.authority.actor import Caller
from scopekey.authority.edit_key import edit_key
from scopekey.authority.find_key import KeyQuery, list_keys, show_key
from scopekey.authority.issue_key import issue_key
from scopekey.authority.key_usage import DAYS, key_usage
from scopekey.authority.organizations import (
    create_organization,
    edit_organization,
    list_organizations,
    show_organization,
)
from scopekey.authority.reach_key import reach_key
from scopekey.authority.revoke_key import revoke_key
from scopekey.authority.rotate_key import rotate_key
from scopekey.server.node import Node
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


class HomeManagement:
    """The operations on the home folder of this machine.

    Use is counted when entries are sealed: where it is asked for, what arrived is sealed first, for no server
    need be running.
    """

    def __init__(self, node: Node, caller: Caller) -> None:
        self._node = node
        self._authority = node.authority
        self._caller = caller

    def create_key(self, body: CreateKey) -> IssuedKey:
        """Issue a key."""
        return issue_key(self._authority, self._caller, body)[0]

    def list_keys(self, **query: str | int | None) -> KeyPage:
        """List keys, one page."""
        given = {name: value for name, value in query.items() if value is not None}
        if "unused_since" in given and "cursor" not in given:
            self._node.seal_last()
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

    def key_usage(self, key_id: str, *, days: int = DAYS) -> UsageAnswer:
        """Tell what a key was used for."""
        self._node.seal_last()
        return key_usage(self._authority, self._caller, key_id, days=days)

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
