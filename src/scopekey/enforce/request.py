"""What every adapter and door takes from a request beside its target: header fields, request id, caller's address."""

import logging
import re
from collections.abc import Iterable
from random import getrandbits
from time import time_ns

from scopekey.core.network import Network, parse_address, within
from scopekey.enforce import credential, reach
from scopekey.enforce.fields import Fields
from scopekey.replica import fault

REQUEST_FIELDS = credential.FIELDS | {b"x-request-id", b"origin", b"access-control-request-method", reach.HEADER}
"""The lower-case names of all header fields that a check looks at."""

# At most 64 characters: shorter than any printed key, so that no secret gets into a log as a request id.
_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")

_log = logging.getLogger("scopekey.enforce")


def request_id(fields: Fields) -> str:
    """The caller's own request id where it is a sane one, else a new one."""
    given = fields.get(b"x-request-id")
    return given.decode("ascii") if given and _REQUEST_ID.fullmatch(given) else new_request_id()


def new_request_id() -> str:
    """Make a request id for a request that brought none."""
    # A name, no secret: drawn without a system call, and seeded anew in every process. It begins with the time, in
    # milliseconds: an index of names that come in order is written at its end alone.
    return f"req_{time_ns() // 1_000_000 << 36 | getrandbits(36):020x}"


def is_preflight(fields: Fields) -> bool:
    """A CORS preflight (Fetch standard, CORS-preflight request): it names its origin and its method."""
    return b"origin" in fields and b"access-control-request-method" in fields


def caller(peer: str | None, forwarded_for: str, trusted: Iterable[Network]) -> str | None:
    """The caller's address: the peer, or what trusted proxies say in front of it.

    `forwarded_for` is the value of `X-Forwarded-For`, read from the right: each hop was written by the one after it,
    and the first that is not trusted is the caller. None where something there is no address: a key that
    is bound to networks is then refused.
    """
    for hop in reversed(forwarded_for.split(",") if forwarded_for else ()):
        address = parse_address(hop.strip())
        if address is None:
            return None
        peer = str(address)
        if not within(address, trusted):
            break
    return peer


def log_fault(error: Exception, request_id: str) -> None:
    """Log where it broke, but neither the message nor any value: they could hold the key."""
    fault.log_fault(_log, error, "request %s was refused: the check broke", request_id, request_id=request_id)
