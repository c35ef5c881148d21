"""A small log in a store: entries of every kind, numbered and sealed."""

from scopekey.audit.entry import Entry, Who, canonical
from scopekey.audit.note import verifier_key
from scopekey.authority.seal_log import LogSealer

ORIGIN = "example.com/audit"
SEED = b"s" * 32
LOG_KEY = verifier_key(ORIGIN, SEED)
ACME, OTHER = "org_AAAAAAAAAAAA", "org_bbbbbbbbbbbb"
KEY, ANOTHER = "key_000000000001", "key_000000000002"

HOSTILE = "a\nb\tc\r\x1b[31m\x9b2J\u2028\u202e\"',;=1+1\\ \U0001f600"
"""What a caller may have written: new lines, terminal controls, quotes, formulas, text that runs backwards."""


def entry(number, at=None, **more):
    """An entry with a nonce of its own."""
    return Entry(nonce=f"{number:032x}", at=1_000 + number if at is None else at, **{"kind": "decision", **more})


def decision(number, code=None, **more):
    """A decision about one key: allowed, or refused for a reason."""
    usual = {
        "organization": ACME,
        "key": KEY,
        "secret": 1,
        "actor": Who("key", more.get("key", KEY), more.get("organization", ACME)),
        "operation": "GET /datasets/{dataset_id}",
        "required": [["datasets:read"]],
        "held": ["datasets:read", "jobs:write"],
        "intended": [["read", "Core Data"]],
        "allowed": code is None,
        "code": code,
        "used": ["datasets:read"] if code is None else None,
        "missing": None if code is None else ["datasets:read"],
        "request_id": f"req_{number}",
    }
    return entry(number, **usual | more)


def change(number, action="key.issue", **more):
    """A change that the machine made."""
    return entry(number, **{"kind": "change", "action": action, "actor": Who("machine", "home"), **more})


def seal_entries(store, *made, now=5_000, origin=ORIGIN):
    """Append entries to the log of a store and seal them; gives how many the log has."""
    with store.writing() as tx:
        tx.entries.append([canonical(one) for one in made])
    LogSealer(store, seed=SEED, origin=origin, clock=lambda: now)()
    with store.reading() as tx:
        return tx.log.state().size
