"""Move sealed entries out of the database: into a folder in the layout of C2SP tlog-tiles.

What is there can be verified by itself, with the log's public key and no database. Whole bundles of 256
are moved, each written and synced before its rows are dropped; hash tiles and checkpoints stay in the
database too, so that proofs need no folder.
"""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from scopekey.audit.entry import NONCE_SIZE, Entry, canonical
from scopekey.audit.merkle import HASH_SIZE, leaf_hash
from scopekey.audit.tiles import TILE_WIDTH, bundle_path, encode_bundle, tile_path, width_at
from scopekey.authority.initialize import MACHINE
from scopekey.replica.clock import milliseconds
from scopekey.store.engine import Store
from scopekey.store.transaction import Transaction

AT_ONCE = 8 * TILE_WIDTH
"""How many rows one transaction drops."""


def archive_log(
    store: Store,
    folder: Path,
    *,
    before: int,
    clock: Callable[[], int] = milliseconds,
    random: Callable[[int], bytes] = os.urandom,
) -> tuple[int, int]:
    """Move the entries that were sealed before a moment; gives from which index to which. The log tells of it.

    Raises OSError where the folder cannot be written, and StoreUnavailableError; what was moved until then is
    moved, and another call goes on.
    """
    with store.reading() as tx:
        state = tx.log.state()
        begun = start = state.archived
        # What keys were used for is folded from the rows: not before that is done.
        end = min(tx.log.size_at(before), state.folded) // TILE_WIDTH * TILE_WIDTH
    while start < end:
        start = _move_some(store, folder, start, min(start + AT_ONCE, end))
    write_tree(store, folder)
    if start > begun:
        told = Entry(
            nonce=random(NONCE_SIZE).hex(),
            at=clock(),
            kind="change",
            actor=MACHINE,
            action="log.archive",
            after={"first": begun, "end": start},
        )
        with store.writing() as tx:
            tx.entries.append([canonical(told)])
    return begun, start


def _move_some(store: Store, folder: Path, start: int, end: int) -> int:
    """Move entries, if nobody else has; gives from which index on there are still some."""
    with store.reading() as tx:
        archived = tx.log.state().archived
        if archived != start:
            return archived
        bundles = _bundles(tx, start, end)
    for number, bundle in bundles:
        write_whole(folder / bundle_path(number), bundle)
    with store.writing() as tx:
        # Whoever was faster has moved the same, and perhaps more.
        archived = tx.log.wait_to_hold().archived
        if archived == start:
            tx.log.archive(end)
            archived = end
    return archived


def write_tree(store: Store, folder: Path) -> None:
    """Write the newest checkpoint, and the hash tiles that belong to it."""
    with store.reading() as tx:
        newest = tx.log.checkpoint()
        if newest is None:
            return
        level, width = 0, newest.size
        while width:
            for number in range(-(-width // TILE_WIDTH)):
                _write_tile(tx, folder, level, number, newest.size)
            level, width = level + 1, width // TILE_WIDTH
    # Last: whoever reads it finds everything that it promises.
    write_whole(folder / "checkpoint", newest.note.encode(), replace=True)


def _write_tile(tx: Transaction, folder: Path, level: int, number: int, size: int) -> None:
    width = width_at(level, number, size)
    file = folder / tile_path(level, number, width)
    if width < TILE_WIDTH or not file.exists():
        write_whole(file, tx.log.tile(level, number)[: HASH_SIZE * width])


def _bundles(tx: Transaction, start: int, end: int) -> list[tuple[int, bytes]]:
    found = []
    for first in range(start, end, TILE_WIDTH):
        bodies = tx.log.bodies(first, first + TILE_WIDTH)
        if b"".join(map(leaf_hash, bodies)) != tx.log.tile(0, first // TILE_WIDTH):
            raise ValueError(
                f"the entries from {first} on are not those that were sealed; they were not moved, nor what follows: "
                "run `scopekey audit verify`"
            )
        found.append((first // TILE_WIDTH, encode_bundle(bodies)))
    return found


def write_whole(file: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file whole or not at all, and see that it is on disk.

    Raises FileExistsError where there is one that says something else, unless it may be replaced.
    """
    if not replace and file.exists():
        if file.read_bytes() != content:
            raise FileExistsError(errno.EEXIST, "it holds something else: name the folder of this log", str(file))
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}")
    with fresh.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
