"""What an ordinary organization can verify: the signature, the hashes, and that its own entries are among them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from scopekey.audit.checkpoint import CheckpointError, read_checkpoint
from scopekey.audit.merkle import ProofError, inclusion_proof, leaf_hash, root_hash, verify_inclusion
from scopekey.audit.note import VerifierKey
from scopekey.audit.report import Broken
from scopekey.audit.tiles import node_of
from scopekey.cli.audit_log import AuditLog
from scopekey.cli.audit_search import search_all
from scopekey.client.audit_source import FetchedFiles, TiledLog


class Own(NamedTuple):
    """Own entries that are in the log of a size and a root."""

    entries: int
    size: int
    root: bytes


def verify_own(log: AuditLog, key: VerifierKey, heads: Sequence[str]) -> Own | Broken:
    """Verify that every entry that the log shows is in the tree of its newest checkpoint, and heads are of it."""
    source = TiledLog(log.show_checkpoint(), FetchedFiles(log.show_tile))
    try:
        whole = read_checkpoint(source.checkpoint(), key)
        kept = [read_checkpoint(head, key) for head in heads]
    except CheckpointError as error:
        return Broken("checkpoint", f"a checkpoint is none of this log: {error}")
    node = lru_cache(1 << 16)(node_of(source.tile))
    for checkpoint in (whole, *kept):
        if checkpoint.size > whole.size:
            why = f"a head of {checkpoint.size} entries was kept, and the log has {whole.size}: it was cut"
            return Broken("head", why, size=checkpoint.size)
        if root_hash(checkpoint.size, node) != checkpoint.root:
            why = f"the hashes do not lead to the checkpoint of {checkpoint.size} entries"
            return Broken("checkpoint", why, size=checkpoint.size)
    seen = 0
    for entry in search_all(log, {"order": "oldest"}):
        if entry.index >= whole.size:
            break
        try:
            proof = inclusion_proof(entry.index, whole.size, node)
            verify_inclusion(entry.index, whole.size, leaf_hash(entry.body.encode()), proof, whole.root)
        except (ProofError, ValueError) as error:
            return Broken("entry", f"the entry {entry.index} is not in the log: {error}", index=entry.index)
        seen += 1
    return Own(seen, whole.size, whole.root)
