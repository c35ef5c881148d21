"""The frame of every check door: a proxy asks about a request it holds, and is answered with a status and headers.

What differs from proxy to proxy is how the request is told (`read`) and which statuses may be answered;
that stands in the doors' own modules. The peer that asks must be a trusted one, and its word is then
taken for the method, the target, the address and the credential of the request that it holds.
"""

import json
from collections.abc import Iterable
from functools import lru_cache

from scopekey.core.decision import Allowed
from scopekey.core.network import Network, parse_address, within
from scopekey.core.problem import PROBLEMS
from scopekey.enforce.asgi import Receive, Scope, Send
from scopekey.enforce.credential import credential
from scopekey.enforce.doors.asked import Read, forwarded_for
from scopekey.enforce.fields import fields_of
from scopekey.enforce.keys import Keys
from scopekey.enforce.reach import HEADER, reach
from scopekey.enforce.request import REQUEST_FIELDS, is_preflight, log_fault, new_request_id, request_id
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
from scopekey.replica.journal import DONE, JournalUnavailableError

_LENGTH_0 = (b"content-length", b"0")


class CheckDoor:
    """Answers one kind of proxy. `fields` are the lower-case names of all header fields that `read` looks at.

    With `only_401_and_403` every other refusal leaves as 403 with its `Scopekey-Code`, and without a body, for
    proxies that know no other answer (nginx's `auth_request`); every answer then has its `Scopekey-Status`.
    """

    def __init__(
        self,
        keys: Keys,
        read: Read,
        *,
        fields: Iterable[bytes],
        trusted_proxies: tuple[Network, ...],
        only_401_and_403: bool = False,
    ) -> None:
        self._keys = keys
        self._read = read
        self._looked_at = REQUEST_FIELDS | frozenset(fields)
        self._narrow = only_401_and_403
        self._yes: Headers = [(b"scopekey-status", b"200")] if only_401_and_403 else []
        self._client_of = forwarded_for(trusted_proxies)
        self._trusted = lru_cache(maxsize=1024)(lambda peer: within(parse_address(peer), trusted_proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - bodies are not read
        """Decide about the request that the proxy holds, and answer when the record is as safe as its mode wants it."""
        name = ""
        outcome: Headers | Refusal
        try:
            client = scope.get("client")
            # A Unix socket has no address: who may open it is a matter of its file.
            if client is not None and not self._trusted(client[0]):
                await self._refuse(send, refuse_with(_UNTRUSTED, _UNTRUSTED.detail, new_request_id()))
                return
            fields = fields_of(scope["headers"], self._looked_at)
            name = request_id(fields)
            asked, presented, verifier = (
                self._read(fields, scope, self._client_of),
                credential(fields),
                self._keys.verifier,
            )
            event, ticket = verifier.applied.request(
                asked.method,
                asked.target,
                presented,
                address=asked.address,
                request_id=name,
                preflight=asked.method == "OPTIONS" and is_preflight(fields),
                refused=await reach(verifier, fields, presented) if HEADER in fields else None,
            )
            if ticket is not DONE:
                await ticket
            # Written here too: what breaks behind a decision must not let anybody through either.
            outcome = [*identity(event), *self._yes] if event.proceeds else self._refusal(event)
        except JournalUnavailableError:
            outcome = refuse_unchecked(JOURNAL_UNAVAILABLE, name)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is no
            log_fault(error, name)
            outcome = refuse_unchecked(UNAVAILABLE, name or new_request_id())
        if isinstance(outcome, Refusal):
            await self._refuse(send, outcome, headless=scope["method"] == "HEAD")
        else:
            await send({"type": "http.response.start", "status": 200, "headers": outcome})
            await send(_NO_BODY)

    def _refusal(self, event: Event) -> Refusal:
        return refuse(event, missing_permission_status=getattr(self._keys, "missing_permission_status", 401))

    async def _refuse(self, send: Send, refusal: Refusal, *, headless: bool = False) -> None:
        if self._narrow:
            refusal = narrowed(refusal)
        await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
        await send({"type": "http.response.body", "body": b"" if headless else refusal.body})


def narrowed(refusal: Refusal) -> Refusal:
    """The refusal for a proxy that takes only 401 and 403 for a no, and passes no body on.

    What the client should get is in two header fields more: the status in `Scopekey-Status`, and the document in
    `Scopekey-Problem`, as ASCII on one line, where it is at most 2 KiB: a proxy's buffer for headers is small.
    """
    document = _one_line(refusal.body)
    headers = [_LENGTH_0, *(pair for pair in refusal.headers if pair[0] not in _OF_A_BODY)]
    headers.append((b"scopekey-status", str(refusal.status).encode()))
    if len(document) <= _LONGEST_TOLD:
        headers.append((b"scopekey-problem", document))
    # With a body nginx would close the connection it asks over.
    return Refusal(refusal.status if refusal.status in _ONLY else _ELSE, headers, b"")


def _one_line(body: bytes) -> bytes:
    # Most are so as they come. A proxy's header fields are ASCII.
    if body.isascii() and len(body) <= _LONGEST_TOLD:
        return body
    document = json.loads(body)
    line = json.dumps(document, separators=(",", ":"))
    if len(line) > _LONGEST_TOLD:
        # Lists of permissions grow without end, and stand in header fields of their own.
        short = {name: value for name, value in document.items() if not isinstance(value, list)}
        line = json.dumps(short, separators=(",", ":"))
    return line.encode()


_UNTRUSTED = PROBLEMS["untrusted_proxy"]
_OF_A_BODY = frozenset({b"content-type", b"content-length"})
_ONLY, _ELSE = frozenset({401, 403}), 403
_LONGEST_TOLD = 2048
_NO_BODY = {"type": "http.response.body", "body": b""}
_NOBODY: Headers = [
    (b"scopekey-key-id", b""),
    (b"scopekey-organization", b""),
    (b"scopekey-environment", b""),
    (b"scopekey-used", b""),
]


def identity(event: Event) -> Headers:
    """Who was let through: always the same four, empty for a public operation, so that a client's own are replaced."""
    decision = event.decision
    key, need = decision.key, decision.need
    if key is None:
        return [_LENGTH_0, *_NOBODY, (b"x-request-id", event.request_id.encode())]
    used = need.told[decision.used] if need is not None and isinstance(decision, Allowed) and need.told else b""
    return [
        _LENGTH_0,
        (b"scopekey-key-id", key.id.encode()),
        (b"scopekey-organization", key.organization.encode()),
        (b"scopekey-environment", key.environment.encode()),
        (b"scopekey-used", used),
        (b"x-request-id", event.request_id.encode()),
        *told(event),
    ]
