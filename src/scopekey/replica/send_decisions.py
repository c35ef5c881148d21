"""Decisions handed up over HTTP: the journal of a verifier whose control plane is elsewhere.

The same bytes go out until they are acknowledged, so that each record counts once (spec/journal.md).
"""

import logging
import os
import random
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from scopekey.replica.batch import Batch, ForgottenError, NeverError, NotTakenError
from scopekey.replica.batch_bytes import encode, unreadable
from scopekey.replica.batches import BatchJournal
from scopekey.replica.upstream import checked_url
from scopekey.wire.decisions import MAX_SIZE

_log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""The longest wait for each step of a call, in seconds: to connect, to send, to be answered."""
CLOSE_WITHIN = 4.0
"""How long the end of a process waits for its last decisions, in seconds."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0

_KEY = re.compile(r"[\x21-\x7e]+")
_NODE = re.compile(r"[0-9a-f]{16}")
_CODE = re.compile(r"[a-z_]{1,40}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_CHECK_KEY = "give this verifier a key that is live and holds scopekey_journal:write"
_TO_DO: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _CHECK_KEY,
    HTTPStatus.FORBIDDEN: _CHECK_KEY,
    HTTPStatus.CONFLICT: "look whether two processes use one copy of this process's memory, and restart this one",
    HTTPStatus.UNPROCESSABLE_ENTITY: "upgrade the control plane, which does not know this version's decisions",
}
# Connections that came along in a fork are the parent's: they are kept, and neither used nor closed.
_inherited: list[httpx.Client] = []


class SendDecisions:
    """A sink that sends batches to a control plane. One thread at a time calls it.

    `key` gives the printed key, and is asked at every call; `node` is the id of this machine, 16
    hexadecimal digits; `transport` stands in for the network in tests. Raises ValueError for a URL that
    would carry the key in the clear.
    """

    def __init__(
        self,
        url: str,
        key: Callable[[], str],
        node: str,
        *,
        jitter: Callable[[], float] = random.random,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = httpx.URL(checked_url(url))
        if not _NODE.fullmatch(node):
            raise ValueError("the id of a machine is 16 hexadecimal digits, in lower case")
        self._key = key
        self._node = node
        self._jitter = jitter
        self._transport = transport
        self._client: httpx.Client | None = None
        self._pid = 0
        self._timeout = TIMEOUT
        self._failures = 0
        self._said: object = None
        self._kept: tuple[Batch, int, bytes] | None = None

    def __call__(self, batch: Batch) -> int:
        """Send as many records, from the first, as one call takes. Raises NotTakenError and the like."""
        count, encoded = self._encoded(batch)
        response = self._post(encoded)
        if response.status_code == HTTPStatus.OK:
            return self._acknowledged(response, batch.offset + count, count)
        if response.status_code == HTTPStatus.CONFLICT and self._is_forgotten(response, batch):
            _log.warning("%s does not know the earlier decisions of this process; a new file begins", self._url.host)
            raise ForgottenError
        if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and self._said != response.status_code:
            # Refused whole: what may have brought that about is left out, and the others go up.
            places = unreadable(batch.first(count), self._node)
            if places:
                raise NeverError(places)
        raise self._refused(response)

    def hurry(self, seconds: float) -> None:
        """Let the next call take no longer than this in all."""
        self._timeout = min(TIMEOUT, seconds / 3)

    def close(self) -> None:
        """Close the connection; another call opens a new one."""
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()
        self._timeout, self._kept = TIMEOUT, None

    def _encoded(self, batch: Batch) -> tuple[int, bytes]:
        if self._kept is None or self._kept[0] is not batch:
            self._kept = (batch, *self._encode(batch))
        return self._kept[1:]

    def _encode(self, batch: Batch) -> tuple[int, bytes]:
        """Write as many records as one body takes. Raises NeverError for one that no body takes."""
        part = batch
        while True:
            try:
                encoded = encode(part, self._node)
            except UnicodeEncodeError:
                raise NeverError(unreadable(part, self._node)) from None
            if len(encoded) <= MAX_SIZE:
                return len(part), encoded
            if len(part) == 1:
                raise NeverError([0])
            part = part.first(len(part) // 2)

    def _post(self, encoded: bytes) -> httpx.Response:
        try:
            key = self._key()
        except Exception as error:  # noqa: BLE001 - wherever it comes from, it is asked for again
            raise self._later("key", "the key of this verifier cannot be read (%s)", type(error).__name__) from None
        if not _KEY.fullmatch(key):
            raise self._later("key", "the key of this verifier is empty or holds characters that no key has")
        try:
            return self._connected().post(
                "v1/journal",
                content=encoded,
                headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
                timeout=self._timeout,
            )
        except httpx.HTTPError as error:
            # No traceback and none of its words: headers may stand in them.
            raise self._later("away", "%s cannot be reached (%s)", self._url.host, type(error).__name__) from None

    def _connected(self) -> httpx.Client:
        if self._client is None or self._pid != os.getpid():
            if self._client is not None:
                _inherited.append(self._client)
            # A proxy of the environment would get plain HTTP to read.
            self._client = httpx.Client(
                base_url=self._url, transport=self._transport, trust_env=self._url.scheme == "https"
            )
            self._pid = os.getpid()
        return self._client

    def _acknowledged(self, response: httpx.Response, expected: int, count: int) -> int:
        reached = _member(response, "next")
        if reached is None or reached < expected:
            raise self._later("odd", "%s answered what no control plane answers: check the URL", self._url.host)
        if self._said is not None:
            _log.warning("decisions are handed over to %s again", self._url.host)
        self._said, self._failures, self._kept = None, 0, None
        return count

    def _is_forgotten(self, response: httpx.Response, batch: Batch) -> bool:
        expected = _member(response, "expected")
        # Where even the beginning of a file is refused, another one would not help.
        return expected is not None and expected < batch.offset - batch.lost

    def _refused(self, response: httpx.Response) -> NotTakenError:
        status = response.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = _SECONDS.fullmatch(response.headers.get("retry-after", ""))
            least = min(float(asked[0]), LONGEST_WAIT) if asked else 0.0
            return self._later("away", "%s cannot take them now (%d)", self._url.host, status, least=least)
        code = response.headers.get("scopekey-code", "")
        told = f"{status} {code}" if _CODE.fullmatch(code) else str(status)
        return self._later(
            status, "%s refuses them (%s): %s", self._url.host, told, _TO_DO.get(status, "check the URL")
        )

    def _later(self, kind: object, said: str, *values: object, least: float = 0.0) -> NotTakenError:
        """Keep the batch for later; the log hears of each kind of failure once until it is over."""
        if self._said != kind:
            self._said = kind
            _log.error("decisions are kept in memory, and the oldest lost once there is no room: " + said, *values)
        wait = min(FIRST_WAIT * 2**self._failures, LONGEST_WAIT)
        self._failures = min(self._failures + 1, 10)
        # Jitter: verifiers that lost their control plane together do not come back together.
        return NotTakenError(max(least, wait * (0.5 + self._jitter() / 2)))


class UpstreamJournal(BatchJournal):
    """The journal of a verifier whose control plane is at a URL. `key` and `node` as for SendDecisions."""

    def __init__(self, url: str, key: Callable[[], str], node: str, **options: Any) -> None:
        """`options` are the journal's own."""
        self._sender = SendDecisions(url, key, node)
        super().__init__(self._sender, **{"close_within": CLOSE_WITHIN, "hurry": self._sender.hurry, **options})

    def close(self) -> None:
        """Try once more to hand over what is here, for a few seconds, and stop."""
        super().close()
        self._sender.close()


def _member(response: httpx.Response, name: str) -> int | None:
    """A whole number of a JSON answer, None where there is none of that name."""
    try:
        found = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    number = found.get(name) if isinstance(found, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None
