"""``/check/nginx``: what nginx's `auth_request` asks, told in `X-Original-*` fields that the configuration sets."""

from collections.abc import MutableMapping
from typing import Any

from scopekey.core.rules import METHOD
from scopekey.enforce.doors.check import UNTOLD, Asked
from scopekey.enforce.fields import Fields

PATH = "/check/nginx"
METHOD_FIELD, TARGET, CLIENT = b"x-original-method", b"x-original-uri", b"x-original-client"
FIELDS = (METHOD_FIELD, TARGET, CLIENT)


def read(fields: Fields, scope: MutableMapping[str, Any]) -> Asked:  # noqa: ARG001 - other doors read the request line
    """Find method, target and address: each exactly once, and one address alone."""
    method, target, client = fields.get(METHOD_FIELD), fields.get(TARGET), fields.get(CLIENT)
    if method is None or target is None or client is None:
        return UNTOLD
    name = method.decode("latin-1")
    # A comma joins two answers to one question; a method has none. A target may hold one.
    if not METHOD.fullmatch(name):
        return UNTOLD
    return Asked(name, target, client.decode("latin-1"))
