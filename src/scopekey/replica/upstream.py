"""The control plane, or a gateway that relays it, as a follower reaches it.

Requests, the streams they open, and what they fail with, in words that never hold the key.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import msgspec

from scopekey.replica.freshness import milliseconds_since_boot
from scopekey.replica.index import Place

CONNECT_TIMEOUT = 3.0
SILENCE = 5.0
"""Seconds without a line after which a stream counts as cut: a heartbeat comes each second."""
_LONGEST_LINE = 16 * 1024 * 1024
_KEY = re.compile(r"[\x21-\x7e]+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class RefusedError(Exception):
    """The upstream cannot be followed until somebody does something; says what."""


class SnapshotNeededError(Exception):
    """The place is not known there, or no longer: only a snapshot helps."""


class UpstreamAwayError(Exception):
    """The upstream does not answer now, or the stream was cut."""


class Stream:
    """The lines of one answer. `asked` is when it was asked for, in milliseconds since the boot."""

    def __init__(self, response: httpx.Response, asked: int) -> None:
        self.asked = asked
        self._chunks = response.iter_raw() if "content-encoding" not in response.headers else response.iter_bytes()
        self._rest = b""
        self._ready: list[bytes] = []

    def first(self) -> bytes:
        """The first line. Raises UpstreamAwayError."""
        lines = next(self._split(), None)
        if not lines:
            raise UpstreamAwayError("the upstream ended its answer before it began")
        self._ready = lines[1:]
        return lines[0]

    def lines(self) -> Iterator[list[bytes]]:
        """The lines that follow, as they come. Raises UpstreamAwayError where the stream is cut."""
        if self._ready:
            ready, self._ready = self._ready, []
            yield ready
        yield from self._split()
        if self._rest:
            raise UpstreamAwayError("the stream was cut in the middle of a line")

    def _split(self) -> Iterator[list[bytes]]:
        with _translated():
            for chunk in self._chunks:
                *lines, rest = (self._rest + chunk).split(b"\n")
                self._rest = rest
                if len(rest) > _LONGEST_LINE:
                    raise RefusedError("what answers there is no change feed: a line does not end")
                if lines:
                    yield lines


class Upstream:
    """Where the feed comes from. `key` gives the printed key, asked anew for each request; it is never kept or told."""

    def __init__(self, url: str, key: Callable[[], str], *, silence: float = SILENCE) -> None:
        self.url: str = checked_url(url)
        self._private = self.url.startswith("https:")
        self._key = key
        self._timeout = httpx.Timeout(CONNECT_TIMEOUT, read=silence)
        self._lock = threading.Lock()
        self._response: httpx.Response | None = None

    @contextmanager
    def open(self, place: Place) -> Iterator[Stream]:
        """What follows a place, held open. Raises as `Stream` does, RefusedError, SnapshotNeededError."""
        with self._get("/v1/changes", _asked(place)) as stream:
            yield stream

    @contextmanager
    def snapshot(self) -> Iterator[Stream]:
        """Everything as of one place."""
        with self._get("/v1/snapshot", {}) as stream:
            yield stream

    def cut(self) -> None:
        """End the stream that is open, from another thread."""
        with self._lock, suppress(Exception):
            if self._response is not None:
                _shut(self._response)

    @contextmanager
    def _get(self, path: str, query: dict[str, str]) -> Iterator[Stream]:
        headers = {"authorization": f"Bearer {self._printed()}", "accept": "application/jsonl"}
        asked = milliseconds_since_boot()
        with (
            _translated(self.url),
            # A proxy of the environment would get plain HTTP, and so the key, to read.
            httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=self._private) as client,
            client.stream("GET", self.url + path, params=query, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise self._refused(response)
            with self._lock:
                self._response = response
            try:
                yield Stream(response, asked)
            finally:
                with self._lock:
                    self._response = None

    def _printed(self) -> str:
        try:
            key = self._key()
        except Exception as error:  # noqa: BLE001 - wherever it comes from, it is asked for again
            raise RefusedError(
                f"the key for {self.url} cannot be read ({type(error).__name__}): see to its file, or to "
                "SCOPEKEY_API_KEY"
            ) from None
        if not _KEY.fullmatch(key):
            raise RefusedError(f"the key for {self.url} is empty or holds characters that no key has: see to its file")
        return key

    def _refused(self, response: httpx.Response) -> Exception:
        status, code = response.status_code, _code_of(response)
        if status == httpx.codes.GONE and code == "snapshot_needed":
            return SnapshotNeededError("the place here is not kept at the upstream")
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
            return UpstreamAwayError(f"{self.url} answers {status}{f' ({code})' if code else ''}")
        # An address too many, `…/elsewhere`, is refused there as an operation that nobody listed.
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN} and code not in {"", "unlisted_operation"}:
            return RefusedError(
                f"{self.url} refuses this node's key ({code}): give it a live key of the operator that holds "
                "scopekey_changes:read and scopekey_journal:write, in SCOPEKEY_API_KEY or by --key-file"
            )
        return RefusedError(
            f"{self.url} answers {status}{f' ({code})' if code else ''} to {response.request.url.path}: it is no "
            "Scopekey control plane or gateway that can be followed; name another one as --upstream"
        )


def checked_url(url: str) -> str:
    """Check where a key may be sent: https, or http to this machine itself. Raises ValueError."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"the upstream {url!r} is no address: use https, as in https://keys.example.com")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"a key is not sent in plain text to {parts.hostname}: use https, or an address of loopback")
    return url.strip().rstrip("/")


def _asked(place: Place) -> dict[str, str]:
    return {"after": str(place.position), "mark": place.mark.hex(), "feed": place.feed_id}


class _Problem(msgspec.Struct):
    code: str = ""


def _code_of(response: httpx.Response) -> str:
    """The code of a problem document, where the answer is one."""
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return ""
    try:
        response.read()
        return msgspec.json.decode(response.content, type=_Problem).code
    except (httpx.HTTPError, msgspec.MsgspecError):
        return ""


@contextmanager
def _translated(url: str = "the upstream") -> Iterator[None]:
    """Raise UpstreamAwayError in plain words; httpx's own errors carry the request, and so the key."""
    try:
        yield
    except httpx.TimeoutException:
        raise UpstreamAwayError(f"{url} does not answer in time") from None
    except httpx.ConnectError as error:
        raise UpstreamAwayError(f"{url} cannot be reached ({_reason(error)})") from None
    except (httpx.HTTPError, httpx.StreamError, OSError) as error:
        raise UpstreamAwayError(f"the connection to {url} broke ({type(error).__name__})") from None


def _reason(error: httpx.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "no connection"


def _shut(response: httpx.Response) -> None:
    stream = response.extensions.get("network_stream")
    if stream is not None:
        stream.get_extra_info("socket").shutdown(2)
