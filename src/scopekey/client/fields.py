"""Header fields and cookies: what of them may leave a client, and what is remembered from answers."""

import re
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from scopekey.client.errors import ConfigurationError
from scopekey.wire.feed import read_position

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")


def readable(given: Mapping[str, str]) -> httpx.Headers:
    """Header fields as they are sent. Raises ConfigurationError for one that cannot be (RFC 9110 section 5)."""
    for name, value in given.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            # The value itself is not repeated: it may be a secret.
            raise ConfigurationError(
                "bad_request", f"The header field {name!r} cannot be sent: it is printable ASCII on one line."
            )
    return httpx.Headers(given)


def furthest(known: str | None, told: str | None) -> str | None:
    """The position to send back: answers to calls side by side come in any order, and it must not go backwards."""
    heard = read_position(told) if told and _VALUE.fullmatch(told) else None
    if heard is None:
        return known
    before = read_position(known) if known else None
    if before is not None and before.feed_id == heard.feed_id and before.position > heard.position:
        return known
    return told


def no_cookies() -> CookieJar:
    """Keeps none: a cookie that one key was given must not go with another one."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
