"""The doors of a data plane, joined: which path goes to which, and what a caller needs for it.

The control plane has them in front of its management API; a gateway has nothing else.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from scopekey.core.network import Network
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.asgi import ScopekeyMiddleware
from scopekey.enforce.doors import feed, nginx, verify
from scopekey.enforce.doors.check import CheckDoor
from scopekey.enforce.doors.feed import FeedDoor
from scopekey.enforce.doors.verify import VerifyDoor
from scopekey.replica.feed_source import FeedSource
from scopekey.replica.verifier import Verifier

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

GUARDED = {
    f"POST {verify.PATH}": verify.NEEDED,
    f"GET {feed.CHANGES}": feed.NEEDED,
    f"GET {feed.SNAPSHOT}": feed.NEEDED,
}
"""What a caller's own key must hold for the doors that are not for proxies."""


class DataPlane(Protocol):
    """What the doors stand on: an `enforce.keys.Keys` that also says what it refuses a missing permission with."""

    @property
    def missing_permission_status(self) -> int:
        """401 or 403."""

    @property
    def verifier(self) -> Verifier:
        """The verifier of this process."""


class Doors:
    """A plain ASGI application for the paths of `paths`; `drain` ends the streams it holds open."""

    def __init__(self, plane: DataPlane, source: FeedSource, *, trusted_proxies: tuple[Network, ...] = ()) -> None:
        self._feed = FeedDoor(source, lambda: plane.verifier)
        self._verify = VerifyDoor(lambda: plane.verifier)
        guarded = ScopekeyMiddleware(self._ask, plane, rules=_rules())
        self.paths: dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]] = {
            verify.PATH: guarded,
            feed.CHANGES: guarded,
            feed.SNAPSHOT: guarded,
            nginx.PATH: CheckDoor(
                plane, nginx.read, headers=nginx.HEADERS, trusted_proxies=trusted_proxies, only_401_and_403=True
            ),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for one of the paths."""
        await self.paths[scope["path"]](scope, receive, send)

    def drain(self) -> None:
        """End what is held open: the process is about to stop."""
        self._feed.drain()

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._verify if scope["path"] == verify.PATH else self._feed)(scope, receive, send)


def _rules() -> Rules:
    return Rules(
        tuple(
            Rule(Operation.parse(operation), Requirement.all_of(Permission.parse(needed)))
            for operation, needed in GUARDED.items()
        )
    )
