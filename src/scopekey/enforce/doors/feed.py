"""``GET /v1/changes`` and ``GET /v1/snapshot``: the door down, held open for verifiers on other machines.

Plain ASGI behind the middleware: every answer begins with a recorded decision, and its key is asked about
again before all that leaves. The form of the lines is `spec/feed.md`.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from urllib.parse import parse_qs

from scopekey.core.decision import Denied
from scopekey.core.problem import PROBLEMS
from scopekey.enforce.asgi import Receive, Scope, Send
from scopekey.enforce.doors.feed_hub import FeedHub
from scopekey.enforce.respond import refuse_with
from scopekey.replica.event import Event
from scopekey.replica.feed_source import BATCH, FeedSource
from scopekey.replica.freshness import milliseconds_since_boot
from scopekey.replica.held import Held
from scopekey.replica.history import NotKeptError
from scopekey.replica.index import Place
from scopekey.replica.lmdb_index import EmptyIndexError
from scopekey.replica.verifier import Verifier
from scopekey.wire.changes import encode_change
from scopekey.wire.feed import (
    CONTENT_TYPE,
    FORMAT,
    HEARTBEAT,
    STREAM_LIFE,
    UNKNOWN_AGE,
    Complete,
    End,
    Header,
    Heartbeat,
    encode_line,
)

CHANGES, SNAPSHOT = "/v1/changes", "/v1/snapshot"
NEEDED = "scopekey_changes:read"
JOURNAL_NEEDED = "scopekey_journal:write"
_KNOWN_AGE = 2**53
_log = logging.getLogger(__name__)


class FeedDoor:
    """Answers both paths. `drain` ends what is held open, so that the process can stop."""

    def __init__(self, source: FeedSource, verifier: Callable[[], Verifier]) -> None:
        self._source = source
        self._verifier = verifier
        self._hub: FeedHub | None = None
        self._draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that was let through."""
        event: Event = scope["scopekey"]
        try:
            lines = self._snapshot(event) if scope["path"] == SNAPSHOT else self._changes(scope, event)
            first = await anext(lines)
        except _RefusedError as refused:
            await _refuse(send, event, refused.code, refused.detail)
            return
        except (NotKeptError, EmptyIndexError) as error:
            code = "snapshot_needed" if isinstance(error, NotKeptError) else "unavailable"
            await _refuse(send, event, code, f"{_sentence(error)} {PROBLEMS[code].action}")
            return
        if scope["method"] == "HEAD":
            # Its answer has no body: there is nothing to hold open.
            await lines.aclose()
            await send(_START)
            await send({"type": "http.response.body", "body": b""})
            return
        await _stream(_joined(first, lines), receive, send, event.request_id)

    def drain(self) -> None:
        """Say goodbye to every stream: its follower connects again, to whoever answers then."""
        self._draining = True
        if self._hub is not None:
            self._hub.wake()

    async def _changes(self, scope: Scope, event: Event) -> AsyncGenerator[bytes]:
        hub = self._hub = self._hub or FeedHub(self._source)
        began = milliseconds_since_boot()
        reached = _asked_place(scope.get("query_string", b""), self._source)
        held = Held.of(event)
        # Asked before the header goes out: what is not kept is a 410, and no stream that breaks off.
        hub.after(reached)
        yield self._header(self._source.place(), held)
        due = 0
        while True:
            # The time is taken before the replica is read: that is the moment at which the follower is level.
            elapsed = milliseconds_since_boot() - began
            end = self._end(held, elapsed)
            if end is not None:
                yield encode_line(end)
                return
            before = reached
            try:
                reached, lines = hub.after(before)
            except (NotKeptError, EmptyIndexError) as error:
                yield encode_line(End("snapshot_needed", _sentence(error)))
                return
            if lines:
                yield lines
            if elapsed >= due and reached.position - before.position < BATCH:
                due = elapsed + HEARTBEAT
                yield encode_line(self._heartbeat(reached, elapsed))
            elif not lines:
                await hub.changed((due - elapsed) / 1_000)

    async def _snapshot(self, event: Event) -> AsyncGenerator[bytes]:
        held = Held.of(event)
        with self._source.snapshot() as (place, batches):
            yield self._header(place, held)
            count = 0
            for batch in batches:
                count += len(batch)
                yield b"".join(encode_change(change) + b"\n" for change in batch)
                # Everybody else has a turn between two batches.
                await asyncio.sleep(0)
                end = self._end(held)
                if end is not None:
                    yield encode_line(end)
                    return
            yield encode_line(Complete(count))

    def _header(self, place: Place, held: Held) -> bytes:
        verifier = self._verifier()
        header = Header(
            FORMAT,
            place.feed_id,
            place.position,
            place.mark.hex(),
            peppers=self._source.peppers(),
            prefix=verifier.key_format.prefix,
            environments=verifier.key_format.environments,
            journal=bool(verifier.decide_held(held, (JOURNAL_NEEDED,))),
        )
        return encode_line(header)

    def _heartbeat(self, place: Place, elapsed: int) -> Heartbeat:
        verifier = self._verifier()
        age = verifier.freshness.age(verifier.clock())
        return Heartbeat(place.position, place.mark.hex(), elapsed, age if age < _KNOWN_AGE else UNKNOWN_AGE)

    def _end(self, held: Held, elapsed: int = 0) -> End | None:
        if self._draining:
            return End("draining", "This node stops. Follow another one, or this one when it is back.")
        decision = self._verifier().decide_held(held, (NEEDED,))
        if isinstance(decision, Denied):
            return End(decision.reason.value, PROBLEMS[decision.reason].detail)
        return End("renew", "Follow on with a new request.") if elapsed >= STREAM_LIFE else None


class _RefusedError(Exception):
    """The request itself is wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


_DIGITS = 19
"""Of the greatest position there can be."""


def _asked_place(query: bytes, source: FeedSource) -> Place:
    """Read `after`, `mark` and `feed`; the feed may be left out by who takes this node's word for it."""
    try:
        asked = parse_qs(query.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=8)
        after, mark = _position(_one(asked, "after")), bytes.fromhex(_one(asked, "mark"))
        feed = _one(asked, "feed") if "feed" in asked else source.place().feed_id
    except ValueError:
        raise _RefusedError(
            "invalid_request",
            "Name the place to follow from: `after`, its position, and `mark`, the mark of that position.",
        ) from None
    return Place(feed, after, mark)


def _position(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise ValueError("no position")
    return int(text)


def _one(asked: dict[str, list[str]], name: str) -> str:
    values = asked.get(name, [])
    if len(values) != 1:
        raise ValueError(f"`{name}` must be there once")
    return values[0]


def _sentence(error: Exception) -> str:
    said = str(error)
    return said[0].upper() + said[1:] + "."


_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ],
}


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for lines in rest:
        yield lines


async def _stream(lines: AsyncIterator[bytes], receive: Receive, send: Send, request_id: str) -> None:
    """Send until the lines end or the follower goes away."""
    await send(_START)
    sending = asyncio.ensure_future(_send(lines, send))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        results = await asyncio.gather(sending, leaving, return_exceptions=True)
    failed = results[0]
    if isinstance(failed, Exception):
        # The stream breaks off without its end: a follower takes that for the fault it is.
        known = {"request_id": request_id}
        _log.error("a stream of the feed broke off with %s", type(failed).__name__, extra=known)
        raise failed


async def _send(lines: AsyncIterator[bytes], send: Send) -> None:
    async for line in lines:
        if line:
            await send({"type": "http.response.body", "body": line, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, event: Event, code: str, detail: str) -> None:
    refusal = refuse_with(PROBLEMS[code], detail, event.request_id)
    await send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers})
    await send({"type": "http.response.body", "body": refusal.body})
