"""Show what the log proves itself with: the newest checkpoint, hash tiles, the public key; to the operator, bundles.

Hashes say nothing about the entries they were made of: each has 16 random bytes.
"""

from collections.abc import Callable

from scopekey.audit.merkle import HASH_SIZE
from scopekey.audit.tiles import TILE_WIDTH, TileName, encode_bundle, read_path, width_at
from scopekey.authority.actor import Caller
from scopekey.authority.audit_search import READ
from scopekey.authority.seal_log import log_key
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.problem import ProblemError
from scopekey.store.log import StoredCheckpoint

Archive = Callable[[int, int], bytes | None]
"""A bundle of entries that is no longer in the database, by its number and width; None where it is not there either."""


def show_checkpoint(authority: Authority, caller: Caller) -> str:
    """Show the newest checkpoint, as the note that was signed."""
    with authority.looking(caller, needs=READ) as work:
        return newest_checkpoint(work).note


def newest_checkpoint(work: UnitOfWork) -> StoredCheckpoint:
    """The newest checkpoint. Raises ProblemError `not_found` where nothing was sealed yet."""
    newest = work.tx.log.checkpoint()
    if newest is None:
        raise ProblemError("not_found", "The log holds no entry yet.")
    return newest


def show_public_key(authority: Authority, caller: Caller, seed: bytes) -> str:
    """Show what checkpoints are verified with: `name+id+key` (C2SP signed-note). `seed` is the log's signing key."""
    with authority.looking(caller, needs=READ) as work:
        newest_checkpoint(work)
        return str(log_key(work.tx, seed))


def show_tile(authority: Authority, caller: Caller, path: str, *, archive: Archive | None = None) -> bytes:
    """Show a tile or a bundle by its path after `tile/` (C2SP tlog-tiles), of any width up to the present one.

    Bundles are shown to the operator alone: they hold everybody's entries. Raises ProblemError `not_found`.
    """
    with authority.looking(caller, needs=READ) as work:
        name = _name(path)
        width = 0 if name is None else width_at(name.level or 0, name.number, work.tx.log.state().size)
        if name is None or name.width > width or (name.level is None and not work.actor.operator):
            raise ProblemError("not_found", "The log has no such tile.")
        return _bundle(work, name, archive) if name.level is None else _hashes(work, name.level, name)


def _name(path: str) -> TileName | None:
    try:
        return read_path(f"tile/{path}")
    except ValueError:
        return None


def _hashes(work: UnitOfWork, level: int, name: TileName) -> bytes:
    hashes = work.tx.log.tile(level, name.number)[: name.width * HASH_SIZE]
    if len(hashes) != name.width * HASH_SIZE:
        raise ProblemError("unavailable", "A tile of the log is damaged: run `scopekey audit verify`.")
    return hashes


def _bundle(work: UnitOfWork, name: TileName, archive: Archive | None) -> bytes:
    first = name.number * TILE_WIDTH
    bodies = work.tx.log.bodies(first, first + name.width)
    if len(bodies) == name.width:
        return encode_bundle(bodies)
    moved = first < work.tx.log.state().archived
    found = archive(name.number, name.width) if moved and archive is not None else None
    if found is None:
        why = "are in the archive, which is not here" if moved else "are not all there: run `scopekey audit verify`"
        raise ProblemError("unavailable", f"The entries {first} to {first + name.width - 1} {why}.")
    return found
