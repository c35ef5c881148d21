"""The doors of a data plane, joined: which path goes to which, and what a caller needs for it.

The control plane has them in front of its management API; a gateway has nothing else.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from scopekey.core.network import Network
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Operation, Rule, Rules
from scopekey.enforce.asgi import Receive, Scope, ScopekeyMiddleware, Send
from scopekey.enforce.doors import envoy, feed, forwarded, haproxy, nginx, verify
from scopekey.enforce.doors.check import CheckDoor
from scopekey.enforce.doors.feed import FeedDoor
from scopekey.enforce.doors.verify import VerifyDoor
from scopekey.replica.feed_source import FeedSource
from scopekey.replica.verifier import Verifier

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class DataPlane(Protocol):
    """What the doors stand on: an `enforce.keys.Keys` that also says what it refuses a missing permission with."""

    @property
    def missing_permission_status(self) -> int:
        """401 or 403."""

    @property
    def verifier(self) -> Verifier:
        """The verifier of this process."""


class Door(NamedTuple):
    """A door that only a key with a permission may use: `POST /v1/verify`."""

    operation: str
    needed: str
    answer: App

    @property
    def path(self) -> str:
        """Its path alone."""
        return self.operation.partition(" ")[2]


class Doors:
    """Plain ASGI applications by their paths (`at`); `drain` ends the streams they hold open.

    `more` are doors that only one kind of process has.
    """

    def __init__(
        self,
        plane: DataPlane,
        source: FeedSource,
        *,
        trusted_proxies: tuple[Network, ...] = (),
        more: Sequence[Door] = (),
    ) -> None:
        self._feed = FeedDoor(source, lambda: plane.verifier)
        doors = (
            Door(f"GET {feed.CHANGES}", feed.NEEDED, self._feed),
            Door(f"GET {feed.SNAPSHOT}", feed.NEEDED, self._feed),
            *more,
        )
        self._behind = {door.path: door.answer for door in doors}
        rules = [_rule(door.operation, door.needed) for door in doors]
        rules.append(_rule(f"POST {verify.PATH}", verify.NEEDED))
        guarded = ScopekeyMiddleware(self._ask, plane, rules=Rules(tuple(rules)))
        check = partial(CheckDoor, plane, trusted_proxies=trusted_proxies)
        self._exact: dict[str, App] = {
            **dict.fromkeys(self._behind, guarded),
            verify.PATH: VerifyDoor(guarded),
            nginx.PATH: check(nginx.read, fields=nginx.FIELDS, only_401_and_403=True),
            haproxy.PATH: check(haproxy.read, fields=haproxy.FIELDS),
            forwarded.PATH: check(forwarded.read, fields=forwarded.FIELDS),
        }
        self._envoy = check(envoy.read, fields=envoy.FIELDS)

    def at(self, path: str) -> App | None:
        """The door at a decoded path; None where there is none."""
        door = self._exact.get(path)
        if door is None and path.startswith(_ENVOY):
            return self._envoy
        return door

    def drain(self) -> None:
        """End what is held open: the process is about to stop."""
        self._feed.drain()

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._behind[scope["path"]](scope, receive, send)


_ENVOY = envoy.PREFIX + "/"


def _rule(operation: str, needed: str) -> Rule:
    return Rule(Operation.parse(operation), Requirement.all_of(Permission.parse(needed)))
