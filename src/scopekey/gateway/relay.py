"""``POST /v1/journal`` at a gateway: decisions of verifiers that follow it are handed on to its own upstream.

Nothing is kept here: the answer is the upstream's, so a batch counts once, however often it passes.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

import httpx

from scopekey.core.problem import PROBLEMS
from scopekey.enforce.asgi import Receive, Send
from scopekey.enforce.doors.body import GoneError, read_body
from scopekey.enforce.respond import Refusal, refuse_with
from scopekey.replica.event import Event
from scopekey.replica.upstream import checked_url
from scopekey.settings import MissingSecretError
from scopekey.wire.decisions import MAX_SIZE

PATH = "/v1/journal"
NEEDED = "scopekey_journal:write"
TIMEOUT = 4.0
_PASSED_ON = frozenset({b"content-type", b"retry-after", b"scopekey-code"})
# What the upstream says about the key of this node is this node's affair, and no answer to the caller's key.
_OWN = frozenset({401, 403})


class JournalRelay:
    """Hands batches on. `key` gives the key of this node, asked anew for each."""

    def __init__(self, upstream: str, key: Callable[[], str]) -> None:
        self._url = checked_url(upstream) + PATH
        self._key = key
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Hand on one batch that the middleware let through."""
        event: Event = scope["scopekey"]
        try:
            body = await read_body(receive, MAX_SIZE)
        except GoneError:
            return
        if body is None:
            await _answer(send, _problem("too_large", event))
            return
        try:
            answer = await self._handed_on(body)
        except (httpx.HTTPError, MissingSecretError):
            await _answer(send, _problem("unavailable", event))
            return
        if answer.status_code in _OWN:
            await _answer(send, _problem("unavailable", event))
            return
        headers = [pair for pair in answer.headers.raw if pair[0].lower() in _PASSED_ON]
        headers.append((b"content-length", str(len(answer.content)).encode()))
        await _answer(send, Refusal(answer.status_code, headers, answer.content))

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _handed_on(self, body: bytes) -> httpx.Response:
        self._client = self._client or httpx.AsyncClient(
            timeout=TIMEOUT, follow_redirects=False, trust_env=self._url.startswith("https:")
        )
        headers = {"authorization": f"Bearer {self._key()}", "content-type": "application/json"}
        return await self._client.post(self._url, content=body, headers=headers)


def _problem(code: str, event: Event) -> Refusal:
    return refuse_with(PROBLEMS[code], PROBLEMS[code].detail, event.request_id)


async def _answer(send: Send, refusal: Refusal) -> None:
    await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
    await send({"type": "http.response.body", "body": refusal.body})
