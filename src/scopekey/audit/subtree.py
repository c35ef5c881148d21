"""Proofs about the tree over some of the entries (draft-ietf-plants-merkle-tree-certs section 4).

A subtree is named by the range of its entries. It begins at a multiple of a power of two that is no
smaller than it is, so that it lies as a whole in every later tree.
"""

from collections.abc import Sequence

from scopekey.audit.merkle import EMPTY_ROOT, ProofError, verify_consistency, verify_inclusion


def verify_subtree_inclusion(index: int, part: range, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash is the log's index-th, in a subtree with this root. Raises ProofError if not shown."""
    _expect_subtree(part)
    verify_inclusion(index - part.start, part.stop - part.start, leaf, proof, root)


def verify_subtree_consistency(part: range, size: int, part_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a subtree lies in the tree of `size` entries; an empty one lies in all.

    Raises ProofError if not shown.
    """
    _expect_subtree(part)
    if part:
        verify_consistency(part.stop, size, part_root, root, proof, start=part.start)
    elif part.stop > size or part_root != EMPTY_ROOT or proof:
        raise ProofError("an empty subtree has the root of an empty tree, and an empty proof")


def _expect_subtree(part: range) -> None:
    start, end = part.start, part.stop
    if not 0 <= start <= end or (start < end and start % (1 << (end - start - 1).bit_length())):
        raise ProofError(f"there is no subtree of the entries from {start} up to {end}")
