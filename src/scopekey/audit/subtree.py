"""Proofs about a part of the tree that is itself a tree: some leaves in a row, begun where such a part can begin.

The subtrees and their proofs of the Merkle Tree Certificates draft (draft-ietf-plants-merkle-tree-certs,
section 4): what a bundle of entries, or any run of them, is shown with in one piece.
"""

from collections.abc import Sequence
from typing import NamedTuple

from scopekey.audit.merkle import EMPTY_ROOT, ProofError, climb, verify_inclusion


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
    old, new = climb(subtree.start, subtree.end, size, subtree.root, proof)
    if old != subtree.root:
        raise ProofError("the proof leads to another subtree")
    if new != root:
        raise ProofError("the proof leads to another root")


def _check_subtree(subtree: Subtree) -> None:
    """A subtree begins at a multiple of the power of two that it fits into."""
    start, end, _ = subtree
    if not 0 <= start <= end or (start < end and start % (1 << (end - start - 1).bit_length())):
        raise ProofError(f"from {start} to {end} there is no subtree")
