"""The tree of the audit log: hashes, roots, and the two kinds of proof (RFC 9162 section 2.1, SHA-256).

A tree is never held here. Whoever asks for a root or a proof hands in a `Node`, which knows the
hashes of complete subtrees: from tiles, from memory, from anywhere.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256().digest()
"""The root of a tree without entries."""

Node = Callable[[int, int], bytes]
"""`(level, index)`: the hash of the complete subtree of 2**level leaves, the index-th from the left."""


class ProofError(ValueError):
    """A proof that does not hold, and why."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash the bytes of an entry into its leaf."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into the node above them."""
    return sha256(b"\1" + left + right).digest()


def root_hash(size: int, node: Node) -> bytes:
    """Compute the root of the first `size` entries."""
    return _root_between(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Collect what leads from a leaf to the root of `size` entries, the leaf's sibling first (RFC 9162, 2.1.3.1).

    Raises ValueError where there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} among {size}")
    beside = []
    start, end = 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    return [_root_between(*part, node) for part in reversed(beside)]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash is the index-th of the tree of `size` entries with this root (RFC 9162, 2.1.3.2).

    Raises ProofError where it is not shown to be.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no entry {index} among {size}")
    _expect_hashes((leaf, *proof))
    place, last, reached = index, size - 1, leaf
    for beside in proof:
        if last == 0:
            raise ProofError(f"the proof has {len(proof)} hashes, more than lead from entry {index} to the root")
        if place & 1 or place == last:
            reached = node_hash(beside, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, beside)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"the proof has {len(proof)} hashes, too few to lead from entry {index} to the root")
    if reached != root:
        raise ProofError(
            f"the proof leads from entry {index} to another root: entry, index, size or root is not the log's"
        )


def consistency_proof(first: int, second: int, node: Node) -> list[bytes]:
    """Collect what shows that the tree of `first` entries is the beginning of that of `second` (RFC 9162, 2.1.4.1).

    Raises ValueError unless 1 <= first <= second.
    """
    if not 1 <= first <= second:
        raise ValueError(f"there is no proof from {first} entries to {second}: the smaller has at least one")
    beside = []
    start, end = 0, second
    while first != end:
        middle = _split(start, end)
        if first <= middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    if start:
        beside.append((start, end))
    return [_root_between(*part, node) for part in reversed(beside)]


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes], *, start: int = 0
) -> None:
    """Check that the tree of `first` entries is the beginning of that of `second` (RFC 9162, 2.1.4.2).

    With `start` the smaller one is not the beginning, but the subtree of the entries from `start`
    up to, without, `first`. Raises ProofError where it is not shown; an empty tree shows nothing.
    """
    if not 0 <= start < first <= second:
        raise ProofError(f"a tree of {first} entries from {start} on is no part of one of {second}")
    _expect_hashes(proof)
    low, place, last = start, first - 1, second - 1
    while low != place and (place & 1 or place == last):
        low, place, last = low >> 1, place >> 1, last >> 1
    # A complete part needs no hash of its own in the proof: the path begins with what is to be shown.
    hashes = list(proof) if low != place else [first_root, *proof]
    if not hashes:
        raise ProofError("the proof is empty, and these trees are not the same")
    smaller = greater = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            raise ProofError(f"the proof has {len(proof)} hashes, more than lead to the root")
        if place & 1 or place == last:
            if low < place:
                smaller = node_hash(beside, smaller)
            greater = node_hash(beside, greater)
            while not place & 1 and place:
                low, place, last = low >> 1, place >> 1, last >> 1
        else:
            greater = node_hash(greater, beside)
        low, place, last = low >> 1, place >> 1, last >> 1
    if last:
        raise ProofError(f"the proof has {len(proof)} hashes, too few to lead to the root")
    if smaller != first_root:
        raise ProofError(f"the proof leads to another root of {first} entries: it is not the beginning of this tree")
    if greater != second_root:
        raise ProofError(
            f"the proof leads to another root of {second} entries: it does not go on from the smaller tree"
        )


def _split(start: int, end: int) -> int:
    """Where a tree parts: its left side has the greatest power of two that is smaller than the whole."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _root_between(start: int, end: int, node: Node) -> bytes:
    """The root over some leaves, which begin at a multiple of a power of two that is no smaller than they are."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(node(level, start >> level))
        start += 1 << level
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def _expect_hashes(given: Sequence[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in given):
        raise ProofError(f"the proof holds something that is no hash of {HASH_SIZE} bytes")
