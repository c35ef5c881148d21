"""A request as it is told in `X-Original-*`: fields that no proxy sends by itself, so the configuration sets them."""

from scopekey.enforce.asgi import Scope
from scopekey.enforce.doors.asked import UNTOLD, Asked, ForwardedFor, told_method
from scopekey.enforce.fields import Fields

METHOD_FIELD, TARGET, CLIENT = b"x-original-method", b"x-original-uri", b"x-original-client"
FIELDS = (METHOD_FIELD, TARGET, CLIENT)


def read(fields: Fields, scope: Scope, client_of: ForwardedFor) -> Asked:  # noqa: ARG001 - other doors need them
    """Find method, target and address: each exactly once, and one address alone."""
    method, target, client = told_method(fields.get(METHOD_FIELD)), fields.get(TARGET), fields.get(CLIENT)
    if method is None or target is None or client is None:
        return UNTOLD
    return Asked(method, target, client.decode("latin-1"))
