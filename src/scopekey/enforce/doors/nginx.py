"""``/check/nginx``: what nginx's `auth_request` asks, told in `X-Original-*` fields that the configuration sets."""

from collections.abc import MutableMapping
from typing import Any

from scopekey.core.rules import METHOD
from scopekey.enforce.doors.check import UNTOLD, Asked, only
from scopekey.enforce.respond import Headers

PATH = "/check/nginx"
METHOD_HEADER, TARGET, CLIENT = b"x-original-method", b"x-original-uri", b"x-original-client"
HEADERS = (METHOD_HEADER, TARGET, CLIENT)


def read(headers: Headers, scope: MutableMapping[str, Any]) -> Asked:  # noqa: ARG001 - other doors read the request line
    """Find method, target and address: each exactly once, and one address alone."""
    method, target, client = (only(headers, name) for name in HEADERS)
    if method is None or target is None or client is None:
        return UNTOLD
    text = method.decode("latin-1")
    # A comma joins two answers to one question. A target may hold one.
    if not METHOD.fullmatch(text):
        return UNTOLD
    return Asked(text, target, client.decode("latin-1"))
