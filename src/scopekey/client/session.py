"""What a client knows and does that is no I/O, the same for the sync and the async one."""

import logging
import os
import random
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import version
from typing import Any, TypedDict, TypeVar

import httpx
import msgspec

from scopekey.client.address import address_of, refuse_other, target
from scopekey.client.calls import Call
from scopekey.client.errors import ConfigurationError, ScopekeyError, UnreachableError
from scopekey.client.expiry import SOON, ExpiryWatch, Hook
from scopekey.client.fields import furthest, readable
from scopekey.client.given import refuse_others
from scopekey.client.refusal import refusal_of
from scopekey.client.retrying import wait_before
from scopekey.client.secret import Secret

TIMEOUT = 30.0
RETRIES = 2
Answer = TypeVar("Answer")
_AGENT = f"scopekey-python/{version('scopekey')}"
_log = logging.getLogger("scopekey.client")


class _Options(TypedDict, total=False):
    urls: Mapping[str, str]
    scopekey_url: str | None
    headers: Mapping[str, str]
    timeout: float
    retries: int
    verbose: bool
    on_key_expiring: Hook | None
    warn_before: timedelta


class ClientOptions(_Options):
    """What a client is made with beside its key.

    `environment` is `live` or `test`, looked up in `urls`, or the platform's address; `scopekey_url` is where
    Scopekey's own API is, at the platform's address unless it is given; `headers` go with every call; `timeout` is
    in seconds, for each step of a try; `retries` is how often a call is tried again, where that is safe;
    `verbose` tells each try to the logger `scopekey.client`; `on_key_expiring` is called once for each key and
    date when an answer says that the key ends within `warn_before`, and is a warning of that logger else.
    """

    environment: str


class EnvironmentOptions(_Options, total=False):
    """The same, each in the place of what the environment variables say."""

    api_key: str
    environment: str


class Surroundings(msgspec.Struct, frozen=True):
    """Time and chance, so that tests can say what they are."""

    now: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    fresh: Callable[[], str] = lambda: str(uuid.uuid4())


class Attempt(msgspec.Struct):
    """A call with the key and the addresses of its beginning, and how often it was tried again."""

    method: str
    url: httpx.URL
    request: dict[str, Any]
    secret: Secret
    once: bool
    before: int = 0
    began: float = 0.0


class Session:
    """Key, addresses and what was learned from answers. Raises ConfigurationError where they do not fit."""

    def __init__(self, api_key: str, options: ClientOptions, surroundings: Surroundings) -> None:
        refuse_others(options, ClientOptions)
        self.surroundings = surroundings
        self.secret: Secret = Secret(api_key)
        self._environment = options.get("environment", "")
        self._platform = address_of(self._environment, options.get("urls") or {})
        own = options.get("scopekey_url")
        self._scopekey = self._platform if own is None else address_of(own, {})
        refuse_other(self._environment, self.secret)
        self._headers = readable(options.get("headers") or {})
        self._timeout = options.get("timeout", TIMEOUT)
        self._retries = options.get("retries", RETRIES)
        self._verbose = options.get("verbose", False)
        self._watch = ExpiryWatch(options.get("on_key_expiring"), options.get("warn_before", SOON))
        self._position: str | None = None

    @property
    def trust_env(self) -> bool:
        """Whether proxies of the environment may be used: they would get plain HTTP to read."""
        return self._platform.scheme == self._scopekey.scheme == "https"

    def use(self, api_key: str) -> None:
        """Use another key from the next call on. Raises ConfigurationError."""
        secret = Secret(api_key)
        refuse_other(self._environment, secret)
        self.secret = secret

    def own(self, call: Call[Answer]) -> Attempt:
        """A call of Scopekey's own API."""
        query = {name: value for name, value in call.query.items() if value is not None}
        return self._attempt(
            self._scopekey, call.method, call.path, call.headers, {"params": query or None, "json": call.json}
        )

    def platform(self, method: str, path: str, headers: Mapping[str, str], **request: Any) -> Attempt:
        """A call of the platform. Raises ConfigurationError."""
        if not method.isascii() or not method.isalpha():
            raise ConfigurationError("bad_request", "A method is as in GET.")
        return self._attempt(self._platform, method.upper(), path, headers, request)

    def _attempt(
        self, base: httpx.URL, method: str, path: str, headers: Mapping[str, str], request: dict[str, Any]
    ) -> Attempt:
        sent = httpx.Headers(self._headers)
        sent.update(readable(headers))
        sent.setdefault("User-Agent", _AGENT)
        sent["Authorization"] = f"Bearer {self.secret.reveal()}"
        if self._position is not None:
            sent["Scopekey-Position"] = self._position
        given = {name: value for name, value in request.items() if value is not None}
        given.setdefault("timeout", self._timeout)
        once = "idempotency-key" in sent
        url = target(base, path, given.pop("params", None))
        return Attempt(method, url, given | {"headers": sent}, self.secret, once)

    def answered(self, attempt: Attempt, response: httpx.Response, read: Callable[[httpx.Response], Answer]) -> Answer:
        """Learn from an answer that has been read, and give what `read` makes of it; raise what it means else."""
        self.learn(attempt, response)
        if not response.is_success:
            raise refusal_of(response, self.surroundings.now(), attempt.secret)
        with suppress(ValueError):
            return read(response)
        # Out here, without a cause: what a validation says repeats what it read, a new secret perhaps.
        raise UnreachableError("unreachable", _not_ours(attempt), response.status_code)

    def learn(self, attempt: Attempt, response: httpx.Response) -> None:
        """Remember the position, look when the key ends, and log the try."""
        self._position = furthest(self._position, response.headers.get("scopekey-position"))
        self._watch.look(response.headers, attempt.secret, self.surroundings.now())
        self._tell(attempt, str(response.status_code), response.headers.get("x-request-id"))

    def began(self, attempt: Attempt) -> Attempt:
        """The same, beginning now."""
        attempt.began = self.surroundings.now()
        return attempt

    def failed(self, attempt: Attempt, error: httpx.HTTPError, response: httpx.Response | None) -> UnreachableError:
        """What it means that no answer came, or no more of one."""
        host = attempt.url.netloc.decode()
        late = isinstance(error, httpx.TimeoutException)
        self._tell(attempt, "no answer in time" if late else "no answer", None)
        if response is not None:
            broken = f"the answer broke off ({type(error).__name__}): what came so far is not all"
            return UnreachableError("timeout" if late else "unreachable", broken, response.status_code)
        if late:
            return UnreachableError("timeout", f"{host} did not answer in time.")
        # The kind alone: the words of some errors repeat the request, and its key with it.
        kind = type(error).__name__
        return UnreachableError("unreachable", f"{host} did not answer ({kind}): is it running, is the address right?")

    def wait(self, error: ScopekeyError, attempt: Attempt) -> float | None:
        """Seconds until the call is tried again; None where it is not."""
        wait = wait_before(
            error,
            method=attempt.method,
            once=attempt.once,
            before=attempt.before,
            most=self._retries,
            now=self.surroundings.now(),
            random=self.surroundings.random(),
        )
        attempt.before += 1
        return wait

    def __repr__(self) -> str:
        return f"{self._platform.scheme}://{self._platform.netloc.decode()}, {self.secret}"

    def _tell(self, attempt: Attempt, what: str, request_id: str | None) -> None:
        if not self._verbose:
            return
        took = round((self.surroundings.now() - attempt.began) * 1_000)
        named = f", {request_id}" if request_id else ""
        again = f", try {attempt.before + 1}" if attempt.before else ""
        place = f"{attempt.url.scheme}://{attempt.url.netloc.decode()}{attempt.url.path}"
        _log.info("%s %s %s, %d ms%s%s", attempt.method, place, what, took, named, again)


def from_environment(given: EnvironmentOptions) -> tuple[str, ClientOptions]:
    """Key and options as the environment variables say them; what is given wins. Raises ConfigurationError."""
    refuse_others(given, EnvironmentOptions)
    variables = os.environ
    rest: dict[str, Any] = {name: value for name, value in given.items() if name != "api_key"}
    api_key = given.get("api_key", variables.get("SCOPEKEY_API_KEY"))
    if api_key is None:
        raise ConfigurationError("no_api_key", "SCOPEKEY_API_KEY is not set: put the key there, or give `api_key`.")
    environment = given.get("environment") or variables.get("SCOPEKEY_ENVIRONMENT") or variables.get("SCOPEKEY_URL")
    if not environment:
        raise ConfigurationError(
            "no_address", "SCOPEKEY_ENVIRONMENT is not set: put the platform's address there, or `live` or `test`."
        )
    named = {"live": variables.get("SCOPEKEY_LIVE_URL"), "test": variables.get("SCOPEKEY_TEST_URL")}
    urls = {name: url for name, url in named.items() if url} | dict(given.get("urls") or {})
    rest |= {"environment": environment, "urls": urls}
    rest.setdefault("scopekey_url", variables.get("SCOPEKEY_URL") or None)
    return api_key, rest  # type: ignore[return-value] # its names are those of EnvironmentOptions


def _not_ours(attempt: Attempt) -> str:
    return f"{attempt.url.netloc.decode()} answered something that is no answer of Scopekey's."
