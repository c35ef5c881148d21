"""Asks a check door as its proxy would, without a server: status, headers, body."""

import asyncio

from scopekey.core.network import parse_network
from scopekey.enforce.doors.check import CheckDoor

TRUSTED = (parse_network("127.0.0.0/8"), parse_network("10.0.0.0/8"))
IDENTITY = ("scopekey-key-id", "scopekey-organization", "scopekey-environment", "scopekey-used")


def ask(keys, door, path, headers, method="GET", **options):
    """`door` is a module of `enforce.doors`; headers are pairs of text."""
    frame = CheckDoor(keys, door.read, fields=door.FIELDS, trusted_proxies=TRUSTED, **options)
    raw, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": raw,
        "raw_path": raw.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1),
    }
    sent = []

    async def receive():
        raise AssertionError("a check has no body to be read")

    async def send(message):
        sent.append(message)

    asyncio.run(frame(scope, receive, send))
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]
