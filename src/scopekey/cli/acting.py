"""Who a command acts as, and on what: the home folder, or a server over HTTP.

Without ``SCOPEKEY_URL`` a command acts on the home folder: as the key in ``SCOPEKEY_API_KEY``, else as
the machine; ``--local`` forces the machine. What only the home folder needs is imported only there:
over HTTP the command line works without the [server] extra.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from scopekey.cli.over_http import Server
from scopekey.core.requirement import ANY_LIVE_KEY
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
from scopekey.wire.usage import UsageAnswer

if TYPE_CHECKING:
    from scopekey.authority.actor import Caller
    from scopekey.server.node import Node


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

    def key_usage(self, key_id: str, *, days: int) -> UsageAnswer:
        """Tell what a key was used for."""

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


@contextmanager
def management(*, local: bool = False) -> Iterator[Management]:
    """Open what the command acts on. Raises CannotActError."""
    over_http = None if local else server()
    if over_http is not None:
        with Server(*over_http) as client:
            yield client
        return
    from scopekey.server.management import HomeManagement

    with home(local=local) as node:
        yield HomeManagement(node, caller(node, local=local))


def server() -> tuple[str, str] | None:
    """The URL of the server to act on and the key to act with; None for the home folder. Raises CannotActError."""
    url, key = os.environ.get("SCOPEKEY_URL"), os.environ.get("SCOPEKEY_API_KEY")
    if not url:
        return None
    if not key:
        raise CannotActError("SCOPEKEY_URL is set but SCOPEKEY_API_KEY is not: name the key to act with")
    return url, key


@contextmanager
def home(*, local: bool = False) -> Iterator["Node"]:
    """Open the home folder of this machine. Raises CannotActError."""
    if os.environ.get("SCOPEKEY_URL") and not local:
        raise CannotActError("this acts on the home folder alone, and SCOPEKEY_URL names a server: unset it first")
    if not has_home():
        raise CannotActError(
            f"there is no home folder at {Settings().home}; make one with `scopekey init`, or set SCOPEKEY_HOME"
        )
    from scopekey.server.node import Node, StartRefusedError

    try:
        node = Node.open(Settings())
    except StartRefusedError as error:
        raise CannotActError(str(error)) from error
    try:
        yield node
        # No server may be running here that would seal what the command did.
        node.seal_last()
    finally:
        node.close()


def has_home() -> bool:
    """Tell whether there is a home folder here, or a store that is named."""
    settings = Settings()
    return settings.database_url is not None or (settings.home / "scopekey.db").exists()


def caller(node: "Node", *, local: bool = False) -> "Caller":
    """Act as the key in the environment, or as the machine. Raises CannotActError for a key that is refused."""
    from scopekey.authority.actor import Caller

    key = os.environ.get("SCOPEKEY_API_KEY")
    if local or not key:
        return Caller.machine()
    decision = node.verifier.decide_now(key, ANY_LIVE_KEY)
    if not decision or decision.key is None:
        raise CannotActError(
            "the key in SCOPEKEY_API_KEY is refused here; set another one, or use --local to act as this machine"
        )
    return Caller("key", decision.key.id)
