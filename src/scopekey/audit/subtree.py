"""Proofs about a part of the tree that is itself a tree: some leaves in a row, begun where such a part can begin.

The subtrees and their proofs of the Merkle Tree Certificates draft (draft-ietf-plants-merkle-tree-certs,
section 4): what a bundle of entries, or any run of them, is shown with in one piece.
"""

from collections.abc import Sequence
from typing import NamedTuple

from scopekey.audit.merkle import EMPTY_ROOT, HASH_SIZE, ProofError, node_hash, verify_inclusion


class Subtree(NamedTuple):
    """The leaves from `start` to before `end`, and the hash of the tree that they are."""

    start: int
    end: int
    root: bytes


def verify_subtree_inclusion(index: int, subtree: Subtree, leaf: bytes, proof: Sequence[bytes]) -> None:
    """Check that the leaf of this hash stands at this place of the whole tree, in the subtree. Raises ProofError."""
    _check_subtree(subtree)
    if not subtree.start <= index < subtree.end:
        raise ProofError(f"the entry {index} is outside of the subtree")
    verify_inclusion(index - subtree.start, subtree.end - subtree.start, leaf, proof, subtree.root)


def verify_subtree_consistency(subtree: Subtree, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a tree of `size` leaves holds the subtree; an empty one is in any. Raises ProofError."""
    _check_subtree(subtree)
    if subtree.end > size:
        raise ProofError("the subtree ends behind the end of the tree")
    if subtree.start == subtree.end:
        if proof or subtree.root != EMPTY_ROOT:
            raise ProofError("about an empty subtree there is nothing to prove")
        return
    if any(len(one) != HASH_SIZE for one in proof):
        raise ProofError(f"a hash has {HASH_SIZE} bytes")
    old, new = _climb(subtree, size, proof)
    if old != subtree.root:
        raise ProofError("the proof leads to another subtree")
    if new != root:
        raise ProofError("the proof leads to another root")


def _climb(subtree: Subtree, size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Go up along the subtree's last leaf; gives the subtree's root and the whole tree's as the proof has them."""
    first, last, total = subtree.start, subtree.end - 1, size - 1
    while first != last and (last == total or last & 1):
        first, last, total = first >> 1, last >> 1, total >> 1
    hashes = [subtree.root, *proof] if first == last else list(proof)
    if not hashes:
        raise ProofError("the proof is empty")
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if not total:
            raise ProofError("the proof is longer than the way to the root")
        if last & 1 or last == total:
            old = node_hash(sibling, old) if first < last else old
            new = node_hash(sibling, new)
            while not last & 1 and last:
                first, last, total = first >> 1, last >> 1, total >> 1
        else:
            new = node_hash(new, sibling)
        first, last, total = first >> 1, last >> 1, total >> 1
    if total:
        raise ProofError("the proof is shorter than the way to the root")
    return old, new


def _check_subtree(subtree: Subtree) -> None:
    """A subtree begins at a multiple of the power of two that it fits into."""
    start, end, _ = subtree
    if not 0 <= start <= end or (start < end and start % (1 << (end - start - 1).bit_length())):
        raise ProofError(f"from {start} to {end} there is no subtree")
