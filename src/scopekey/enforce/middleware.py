"""What the ASGI and the WSGI middleware have in common: what they are made with, and whom they ask with it."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from scopekey.core.network import Network, parse_address, parse_network, within
from scopekey.core.rules import Rules
from scopekey.enforce.keys import Keys
from scopekey.enforce.request import caller
from scopekey.enforce.respond import Headers, Refusal, refuse
from scopekey.replica.event import Event
from scopekey.replica.verifier import Guard, Verifier

_REALM = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")


class Passed(NamedTuple):
    """A request that may go on, and the header fields that its answer gets."""

    event: Event
    told: Headers


class Middleware:
    """Keys, rules, and how refusals are worded; what is told about the parameters stands at the middlewares."""

    def __init__(
        self,
        keys: Keys,
        rules: Rules | None,
        *,
        trusted_proxies: Iterable[str | Network],
        realm: str,
        missing_permission_status: int | None,
    ) -> None:
        if not _REALM.fullmatch(realm):
            raise ValueError(f"the realm {realm!r} must be printable ASCII without quotes and backslashes")
        if missing_permission_status not in {None, 401, 403}:
            raise ValueError(f"a missing permission is answered with 401 or 403, not {missing_permission_status}")
        self.keys = keys
        self.rules: Rules | None = rules
        self._realm = realm
        self._status = missing_permission_status
        self._trusted = tuple(parse_network(p) if isinstance(p, str) else p for p in trusted_proxies)
        self._guarded: tuple[Verifier, Guard] | None = None

    def guard(self) -> Guard:
        """The verifier's guard over the rules; made anew when the verifier is another one."""
        verifier = self.keys.verifier
        if self._guarded is None or self._guarded[0] is not verifier:
            guard = verifier.applied if self.rules is None else verifier.guard(self.rules)
            self._guarded = verifier, guard
        return self._guarded[1]

    def _refusal(self, event: Event) -> Refusal:
        status = self._status or getattr(self.keys, "missing_permission_status", None) or 401
        return refuse(event, realm=self._realm, missing_permission_status=status)

    def _caller(self, peer: str | None, forwarded_for: Callable[[], str]) -> str | None:
        """The caller's address: the peer (None for a Unix socket), or what trusted proxies say in front of it."""
        if not self._trusted or (peer is not None and not within(parse_address(peer), self._trusted)):
            return peer
        return caller(peer, forwarded_for(), self._trusted)
