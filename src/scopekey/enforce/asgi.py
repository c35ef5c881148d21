"""Guards any ASGI application: one request, one decision, one record.

Plain ASGI, so that it stands in front of every framework and server. It decides on the raw target as
it came, never on a path somebody rebuilt, and nothing in it fails open.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any
from urllib.parse import unquote

from scopekey.core.network import Network
from scopekey.core.rules import Rules
from scopekey.core.target import escaped
from scopekey.enforce.credential import credential
from scopekey.enforce.fields import fields_of
from scopekey.enforce.keys import Keys
from scopekey.enforce.middleware import Middleware, Passed
from scopekey.enforce.reach import HEADER, reach
from scopekey.enforce.request import REQUEST_FIELDS, is_preflight, log_fault, new_request_id, request_id
from scopekey.enforce.respond import (
    JOURNAL_UNAVAILABLE,
    REALM,
    UNAVAILABLE,
    Headers,
    Refusal,
    refuse_unchecked,
    told,
)
from scopekey.replica.event import Event
from scopekey.replica.journal import DONE, JournalUnavailableError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "scopekey"
"""Where an application finds what was decided about its request: `scope["scopekey"].decision`."""

_UNREADABLE = b""
_POLICY_VIOLATION = 1008


class ScopekeyMiddleware(Middleware):
    """Lets a request through where the rules and its key allow it, and refuses it otherwise.

    `keys` is anything with a `verifier`; `rules` are the application's own, None for the applied ones.
    The application finds the event in `scope["scopekey"]`. The path is the raw one, less `root_path`
    where that is a prefix; where the server gives no raw path, every request is refused.

    `trusted_proxies` are networks whose `X-Forwarded-For` is believed, read from the right; without
    them the peer of the connection is the caller. With them a Unix socket is trusted too.
    A websocket handshake is decided as GET. In report-only mode the application is called, and the
    answer names what would have been missing in `Scopekey-Missing`.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Keys,
        rules: Rules | None = None,
        *,
        trusted_proxies: Iterable[str | Network] = (),
        realm: str = REALM,
        missing_permission_status: int | None = None,
    ) -> None:
        super().__init__(
            keys,
            rules,
            trusted_proxies=trusted_proxies,
            realm=realm,
            missing_permission_status=missing_permission_status,
        )
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide one request or websocket handshake; a lifespan passes."""
        kind = scope["type"]
        if kind == "lifespan":
            await self.app(scope, receive, send)
            return
        if kind not in {"http", "websocket"}:
            raise RuntimeError(f"nothing can be decided about an ASGI scope of type {kind!r}")
        outcome = await self.decide(scope, websocket=kind == "websocket")
        if isinstance(outcome, Refusal):
            await (refuse_http if kind == "http" else _refuse_websocket)(outcome, scope, receive, send)
            return
        scope[SCOPE_KEY] = outcome.event
        await self.app(scope, receive, _adding(send, outcome.told, outcome.event) if outcome.told else send)

    async def decide(self, scope: Scope, *, websocket: bool = False) -> Passed | Refusal:
        """Ask the verifier, and wait until the record is as safe as its mode wants it; calls no application."""
        name = ""
        try:
            fields = fields_of(scope["headers"], REQUEST_FIELDS)
            name = request_id(fields)
            method = "GET" if websocket else scope["method"]
            guard, presented = self.guard(), credential(fields)
            event, ticket = guard.request(
                method,
                raw_target(scope),
                presented,
                address=self._address(scope),
                request_id=name,
                preflight=method == "OPTIONS" and is_preflight(fields),
                refused=await reach(guard.verifier, fields, presented) if HEADER in fields else None,
            )
            if ticket is not DONE:
                await ticket
            return Passed(event, told(event)) if event.proceeds else self._refusal(event)
        except JournalUnavailableError:
            return refuse_unchecked(JOURNAL_UNAVAILABLE, name)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is no
            log_fault(error, name)
            return refuse_unchecked(UNAVAILABLE, name or new_request_id())

    def _address(self, scope: Scope) -> str | None:
        """The caller's address: the peer, or what trusted proxies say in front of it."""
        client: Sequence[Any] | None = scope.get("client")
        peer = str(client[0]) if client else None
        return self._caller(peer, lambda: _forwarded_for(scope))


def raw_target(scope: Scope) -> bytes:
    """The raw path less `root_path`, cut as routers cut it; empty, thus unreadable, where that is unclear."""
    raw = scope.get("raw_path")
    # Routers route the decoded path: one that somebody has rewritten is not what would be decided.
    if not isinstance(raw, bytes) or not _spells(raw, scope["path"]):
        return _UNREADABLE
    root = scope.get("root_path", "")
    if not root:
        return raw
    prefix = escaped(root).encode()
    if raw.startswith(prefix) and raw[len(prefix) : len(prefix) + 1] in {b"", b"/", b"?"}:
        return raw[len(prefix) :]
    # Routers cut the decoded path: another spelling of the prefix would be cut there and not here.
    path = scope["path"]
    if path.startswith(root) and path[len(root) : len(root) + 1] in {"", "/"}:
        return _UNREADABLE
    return raw


def _forwarded_for(scope: Scope) -> str:
    # A list may be spread over several lines (RFC 9110 section 5.3).
    told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return told.decode("latin-1")


def _spells(raw: bytes, path: str) -> bool:
    """Tell whether a raw path decodes to this one; some servers leave the query on the raw one."""
    text = raw.decode("latin-1")
    return text == path or unquote(text.partition("?")[0]) == path


def _adding(send: Send, headers: Headers, event: Event) -> Send:
    """Send the application's answer with these headers, and a request id where it gives none of its own."""

    async def sending(message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.accept", "websocket.http.response.start"}:
            present = list(message.get("headers") or ())
            if b"x-request-id" not in [name.lower() for name, _ in present]:
                present.append((b"x-request-id", event.request_id.encode()))
            message = {**message, "headers": present + headers}
        await send(message)

    return sending


async def refuse_http(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Answer a request with its refusal."""
    await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else refusal.body})


async def _refuse_websocket(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the handshake with the refusal, or close it, which servers answer with 403."""
    await receive()
    if "websocket.http.response" in (scope.get("extensions") or {}):
        start = {"type": "websocket.http.response.start", "status": refusal.status, "headers": refusal.headers}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": refusal.body})
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
