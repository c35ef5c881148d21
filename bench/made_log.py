"""A made-up log of any size: rows as the log would have sealed them, written in great pieces."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

from scopekey.audit.entry import Entry, Who, canonical, read_entry
from scopekey.audit.merkle import leaf_hash
from scopekey.audit.tiles import Growth
from scopekey.authority.seal_log import LogSealer
from scopekey.store.engine import Store
from scopekey.store.entry_columns import columns_of
from scopekey.store.log import StoredCheckpoint

SEED = bytes(range(32))
ORIGIN = "bench.example/log"
KEYS = 1_000
"""Keys that the entries are about, in turn at random."""
ORGANIZATION = "org_AAAAAAAAAAAA"
BEGIN = 1_760_000_000_000
_AT_ONCE = 25_600
_OPERATIONS = [f"GET /datasets/{{dataset_id}}/part{number}" for number in range(20)]


def key_of(number: int) -> str:
    return f"key_{number:012}"


def make_log(folder: Path, size: int) -> Store:
    """A store with a log of so many decisions and a checkpoint after each 25,600."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    sealer = LogSealer(store, seed=SEED, origin=ORIGIN)
    bodies = _bodies()
    for first in range(0, size, _AT_ONCE):
        part = [next(bodies) for _ in range(min(_AT_ONCE, size - first))]
        with store.writing() as tx:
            tree = Growth(first, tx.log.tile)
            tree.extend([leaf_hash(body) for body in part])
            rows = [(at, *columns_of(read_entry(body), body)) for at, body in enumerate(part, first)]
            tx.log.append(rows, [])
            tx.log.put_tiles(tree.changed())
            note = sealer._signed(tx, tree.size, tree.root())
            tx.log.add_checkpoint(StoredCheckpoint(tree.size, BEGIN + tree.size, note))
    store.close()
    with sqlite3.connect(folder / "store.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store


def _bodies() -> Iterator[bytes]:
    """Decisions as they are, each of another key and about another object."""
    random = Random(20_261_126)
    at = 0
    patterns = [_pattern(operation) for operation in _OPERATIONS]
    while True:
        noise = random.getrandbits(256)
        key = key_of(noise % KEYS).encode()
        nonce = f"{noise >> 128:032x}".encode()
        request = f"{(BEGIN + at << 36) | noise >> 92 & 0xFFFFFFFFF:020x}".encode()
        pattern = patterns[noise >> 64 & 15]
        yield pattern % (key, BEGIN + at, key, nonce, at, request)
        at += 1


def _pattern(operation: str) -> bytes:
    """Canonical bytes with places left open, in the order of their names: actor, at, key, nonce, object, request id."""
    key = "key_############"
    entry = Entry(
        nonce="@" * 32,
        at=9_999_999_999_999,
        kind="decision",
        node="0123456789abcdef",
        actor=Who("key", key, ORGANIZATION),
        organization=ORGANIZATION,
        key=key,
        secret=1,
        operation=operation,
        object="@object@",
        required=[["datasets:read"]],
        held=["datasets:read", "queries:read"],
        used=["datasets:read"],
        intended=[["read", "Core Data"]],
        allowed=True,
        address="203.0.113.9",
        request_id="@request@",
        position=41_207,
        age=120,
    )
    written = canonical(entry)
    for place, mark in (
        (b"key_############", b"%s"),
        (b"9999999999999", b"%d"),
        (b"@" * 32, b"%s"),
        (b"@object@", b"%d"),
        (b"@request@", b"req_%s"),
    ):
        written = written.replace(place, mark)
    return written
