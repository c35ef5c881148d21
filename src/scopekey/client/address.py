"""Where calls go: environments and their addresses, and which of them a key may be sent to."""

from collections.abc import Mapping
from typing import Any

import httpx

from scopekey.client.errors import ConfigurationError
from scopekey.client.secret import Secret
from scopekey.core.network import parse_address

NAMES = ("live", "test")


def address_of(environment: str, urls: Mapping[str, str]) -> httpx.URL:
    """The address of an environment, which is a name or an address. Raises ConfigurationError where it has none."""
    if environment not in NAMES:
        return _read(environment)
    found = urls.get(environment)
    if not found:
        raise ConfigurationError(
            "no_address",
            f"No address is known for {environment}: set SCOPEKEY_{environment.upper()}_URL, or give one in `urls`.",
        )
    return _read(found)


def refuse_other(environment: str, secret: Secret) -> None:
    """Raise ConfigurationError where an environment was named and the key is of another."""
    if environment in NAMES and secret.environment not in {None, environment}:
        raise ConfigurationError(
            "wrong_environment",
            f"The key is of the environment {secret.environment} and not of {environment}: use a key of {environment}.",
        )


def target(base: httpx.URL, path: str, params: Any = None) -> httpx.URL:
    """Where one call goes: a path below an address, or the same origin spelled out. Raises ConfigurationError."""
    below = path.startswith("/") and path[1:2] not in {"/", "\\"}
    try:
        url = httpx.URL(str(base).rstrip("/") + path if below else path)
    except httpx.InvalidURL:
        url = httpx.URL()
    if (url.scheme, url.host, _port(url)) != (base.scheme, base.host, _port(base)) or url.userinfo:
        raise ConfigurationError(
            "bad_request",
            f"A call goes to {base.scheme}://{base.netloc.decode()} alone: "
            'give a path that begins with one "/", as in "/datasets".',
        )
    if not params:
        return url
    # httpx would put parameters in the place of the path's own query.
    return url.copy_with(params=[*url.params.multi_items(), *httpx.QueryParams(params).multi_items()])


def _is_loopback(host: str) -> bool:
    address = parse_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _read(given: str) -> httpx.URL:
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
        # The text itself is not repeated: somebody may have put a key there.
        raise ConfigurationError(
            "no_address", "An address is https://host or http://localhost:port, without user information."
        )
    if url.scheme != "https" and not _is_loopback(url.host):
        raise ConfigurationError(
            "insecure_url",
            f"http://{url.host} would carry the key in the clear: use https. "
            "Only this machine itself is reached over http.",
        )
    return url.copy_with(query=None, fragment=None)
