"""A folder that holds the older entries of a log: they, and all hashes of the log, are verified."""

from collections.abc import Sequence
from hashlib import sha256

from scopekey.audit.checkpoint import Checkpoint, CheckpointError, read_checkpoint
from scopekey.audit.leaves import hash_at
from scopekey.audit.merkle import HASH_SIZE
from scopekey.audit.note import VerifierKey
from scopekey.audit.report import Broken, Intact, LogReport
from scopekey.audit.tiles import TILE_WIDTH, Growth
from scopekey.client.audit_source import TiledLog


def verify_part(source: TiledLog, end: int, key: VerifierKey, heads: Sequence[str]) -> LogReport:
    """Verify the entries below an index; of the others the hashes, up to the checkpoint and to heads kept elsewhere."""
    try:
        whole = read_checkpoint(source.checkpoint(), key)
        kept = sorted((read_checkpoint(head, key) for head in heads), key=lambda head: head.size)
    except CheckpointError as error:
        return Broken("checkpoint", f"a checkpoint is none of this log: {error}")
    if kept and kept[-1].size > whole.size:
        why = f"a head of {kept[-1].size} entries was kept, and the log has {whole.size}: it was cut"
        return Broken("head", why, size=kept[-1].size)
    changed = _changed_entry(source, end)
    if changed is not None:
        return Broken(
            "entry", f"entry {changed} does not fit the hash that was sealed for it, or is gone", index=changed
        )
    wrong = _wrong_root(source, [*kept, whole])
    if wrong is not None:
        return Broken("checkpoint", f"the hashes do not lead to the checkpoint of {wrong} entries", size=wrong)
    return Intact(whole.origin, whole.size, whole.root, 0, 1, len(kept))


def _changed_entry(source: TiledLog, end: int) -> int | None:
    """The first entry that is not there, or of which the hash is not that of its tile."""
    at = 0
    for run in source.bundles(end):
        if run.first >= end:
            break
        hashes = source.tile(0, run.first // TILE_WIDTH)
        for body in run.bodies:
            begin = (at - run.first) * HASH_SIZE
            if sha256(b"\0" + body).digest() != hashes[begin : begin + HASH_SIZE]:
                return at
            at += 1
        if run.faults:
            return at
    return at if at < end else None


def _wrong_root(source: TiledLog, said: Sequence[Checkpoint]) -> int | None:
    """The size of the first checkpoint that the lowest tiles do not lead to."""
    tree = Growth(0, source.tile)
    for checkpoint in said:
        while tree.size < checkpoint.size:
            number, place = divmod(tree.size, TILE_WIDTH)
            width = min(TILE_WIDTH, checkpoint.size - number * TILE_WIDTH)
            hashes = source.tile(0, number)
            tree.extend(hash_at(hashes, at) for at in range(place, width))
        if tree.root() != checkpoint.root:
            return checkpoint.size
    return None
