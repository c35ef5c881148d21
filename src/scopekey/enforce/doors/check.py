"""The frame of every check door: a proxy asks about a request it holds, and is answered with a status and headers.

What differs from proxy to proxy is how the request is told (`read`) and which statuses may be answered;
that stands in the doors' own modules. The peer that asks must be a trusted one, and its word is then
taken for the method, the target, the address and the credential of the request that it holds.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any, NamedTuple

from scopekey.core.decision import Allowed
from scopekey.core.network import Network, parse_address, within
from scopekey.core.problem import PROBLEMS
from scopekey.enforce.asgi import REQUEST_HEADERS, log_fault, new_request_id, request_id
from scopekey.enforce.credential import credential
from scopekey.enforce.keys import Keys
from scopekey.enforce.reach import reach
from scopekey.enforce.respond import (
    JOURNAL_UNAVAILABLE,
    UNAVAILABLE,
    Headers,
    Refusal,
    refuse,
    refuse_unchecked,
    refuse_with,
    told,
)
from scopekey.replica.event import Event
from scopekey.replica.journal import JournalUnavailableError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_UNTOLD = b""
_LENGTH_0 = (b"content-length", b"0")


class Asked(NamedTuple):
    """A request as its proxy tells it; an empty target is unreadable, an address of None is in no network."""

    method: str
    target: bytes
    address: str | None


UNTOLD = Asked("UNTOLD", _UNTOLD, None)
"""What is decided where the proxy did not tell the request in the one way it must."""

Read = Callable[[Headers, Scope], Asked]
"""Finds the request in the header fields of its door alone; gives `UNTOLD` where one is not there exactly once."""


class CheckDoor:
    """Answers one kind of proxy. `headers` are the lower-case names of all fields that `read` looks at.

    With `only_401_and_403` every other refusal leaves as 403 with its `Scopekey-Code`, and without a body:
    for proxies that know no other answer (nginx's `auth_request`).
    """

    def __init__(
        self,
        keys: Keys,
        read: Read,
        *,
        headers: Iterable[bytes],
        trusted_proxies: tuple[Network, ...],
        only_401_and_403: bool = False,
    ) -> None:
        self._keys = keys
        self._read = read
        self._looked_at = REQUEST_HEADERS | frozenset(headers)
        self._narrow = only_401_and_403
        self._trusted = lru_cache(maxsize=1024)(lambda peer: within(parse_address(peer), trusted_proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - bodies are not read
        """Answer one question."""
        outcome = await self._outcome(scope)
        if not isinstance(outcome, Refusal):
            await send({"type": "http.response.start", "status": 200, "headers": outcome})
            await send({"type": "http.response.body", "body": b""})
            return
        status, headers, body = outcome.status, outcome.headers, outcome.body
        if self._narrow:
            # With a body nginx would close the connection it asks over; it passes none on anyway.
            status = status if status in {401, 403} else 403
            headers, body = [_LENGTH_0, *(pair for pair in headers if pair[0] not in _OF_A_BODY)], b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _outcome(self, scope: Scope) -> Headers | Refusal:
        """Decide, and wait until the record is as safe as its mode wants it. Headers let through."""
        name = ""
        try:
            client = scope.get("client")
            # A Unix socket has no address: who may open it is a matter of its file.
            if client is not None and not self._trusted(client[0]):
                return refuse_with(PROBLEMS["untrusted_proxy"], PROBLEMS["untrusted_proxy"].detail, new_request_id())
            headers = [pair for pair in scope["headers"] if pair[0] in self._looked_at]
            name = request_id(headers)
            asked, presented, verifier = self._read(headers, scope), credential(headers), self._keys.verifier
            event, ticket = verifier.applied.request(
                asked.method,
                asked.target,
                presented,
                address=asked.address,
                request_id=name,
                refused=await reach(verifier, headers, presented),
            )
            await ticket
            if event.proceeds:
                return [_LENGTH_0, *identity(event)]
            return refuse(event, missing_permission_status=getattr(self._keys, "missing_permission_status", 401))
        except JournalUnavailableError:
            return refuse_unchecked(JOURNAL_UNAVAILABLE, name)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is no
            log_fault(error, name)
            return refuse_unchecked(UNAVAILABLE, name or new_request_id())


_OF_A_BODY = frozenset({b"content-type", b"content-length"})


def identity(event: Event) -> Headers:
    """Who was let through: always the same four, empty for a public operation, so that a client's own are replaced."""
    decision = event.decision
    key = decision.key
    used = decision.need.requirement.any_of[decision.used] if isinstance(decision, Allowed) and decision.need else ()
    return [
        (b"scopekey-key-id", key.id.encode() if key else b""),
        (b"scopekey-organization", key.organization.encode() if key else b""),
        (b"scopekey-environment", key.environment.encode() if key else b""),
        (b"scopekey-used", ", ".join(map(str, used)).encode()),
        (b"x-request-id", event.request_id.encode()),
        *told(event),
    ]


def only(headers: Headers, name: bytes) -> bytes | None:
    """The value of a field that must be there exactly once; None where it is not."""
    found = None
    for field, value in headers:
        if field == name:
            if found is not None:
                return None
            found = value
    return found
