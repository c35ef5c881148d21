"""Decisions handed up over HTTP, to a control plane elsewhere (spec/journal.md)."""

import logging
import os
import random
import re
from collections.abc import Callable
from http import HTTPStatus

import httpx
import msgspec

from scopekey.replica.batch import MissingRecordsError, NotTakenError, RefusedBatchError
from scopekey.replica.upstream import checked_url

_log = logging.getLogger(__name__)

TIMEOUT = 5.0
"""The longest wait for each step of a call, in seconds: to connect, to send, to be answered."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0

_KEY = re.compile(r"[\x21-\x7e]+")
_CODE = re.compile(r"[a-z_]{1,40}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_CHECK_KEY = "give this verifier a key that is live and holds scopekey_journal:write"
_TO_DO: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _CHECK_KEY,
    HTTPStatus.FORBIDDEN: _CHECK_KEY,
    HTTPStatus.CONFLICT: "look whether two machines use copies of one home folder",
}
# Connections that came along in a fork are the parent's: they are kept, and neither used nor closed.
_inherited: list[httpx.Client] = []


class SendDecisions:
    """Takes batches by sending them to a control plane. One thread at a time calls it.

    `key` gives the printed key, and is asked at every call; `transport` stands in for the network in tests.
    Raises ValueError for a URL that would carry the key in the clear.
    """

    def __init__(
        self,
        url: str,
        key: Callable[[], str],
        *,
        jitter: Callable[[], float] = random.random,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = httpx.URL(checked_url(url))
        self._key = key
        self._jitter = jitter
        self._transport = transport
        self._client: httpx.Client | None = None
        self._pid = 0
        self._timeout = TIMEOUT
        self._failures = 0
        self._said: object = None

    def __call__(self, encoded: bytes) -> int:
        """Send a batch. Raises NotTakenError, RefusedBatchError where it holds what is not known there, and
        MissingRecordsError.
        """
        response = self._post(encoded)
        if response.status_code == HTTPStatus.OK:
            return self._acknowledged(response)
        expected = _member(response, "expected")
        if response.status_code == HTTPStatus.CONFLICT and expected is not None:
            raise MissingRecordsError(expected)
        raise self._refused(response)

    def hurry(self, seconds: float) -> None:
        """Let the next call take no longer than this in all."""
        self._timeout = min(TIMEOUT, seconds / 3)

    def close(self) -> None:
        """Close the connection; another call opens a new one."""
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()
        self._timeout = TIMEOUT

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

    def _acknowledged(self, response: httpx.Response) -> int:
        reached = _member(response, "next")
        if reached is None:
            raise self._later("odd", "%s answered what no control plane answers: check the URL", self._url.host)
        if self._said is not None:
            _log.warning("decisions are handed over to %s again", self._url.host)
        self._said, self._failures = None, 0
        return reached

    def _refused(self, response: httpx.Response) -> NotTakenError:
        status = response.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = _SECONDS.fullmatch(response.headers.get("retry-after", ""))
            least = min(float(asked[0]), LONGEST_WAIT) if asked else 0.0
            return self._later("away", "%s cannot take them now (%d)", self._url.host, status, least=least)
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            # Who asked looks first whether it is to be found out what is wrong.
            return RefusedBatchError(self._wait())
        code = response.headers.get("scopekey-code", "")
        told = f"{status} {code}" if _CODE.fullmatch(code) else str(status)
        return self._later(
            status, "%s refuses them (%s): %s", self._url.host, told, _TO_DO.get(status, "check the URL")
        )

    def _later(self, kind: object, said: str, *values: object, least: float = 0.0) -> NotTakenError:
        """It is asked again later; the log hears of each kind of failure once until it is over."""
        if self._said != kind:
            self._said = kind
            _log.error("decisions are not handed over, and stay in the journal: " + said, *values)
        return NotTakenError(max(least, self._wait()))

    def _wait(self) -> float:
        wait = min(FIRST_WAIT * 2.0**self._failures, LONGEST_WAIT)
        self._failures = min(self._failures + 1, 10)
        # Jitter: verifiers that lost their control plane together do not come back together.
        return wait * (0.5 + self._jitter() / 2)


def _member(response: httpx.Response, name: str) -> int | None:
    """A whole number of a JSON answer, None where there is none of that name."""
    try:
        found = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    number = found.get(name) if isinstance(found, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None
