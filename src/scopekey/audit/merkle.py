"""The Merkle tree of RFC 9162 section 2.1, over SHA-256: hashes, proofs, and whether a proof holds.

Nothing here keeps a tree. Who proves gives a function that knows the hash of any complete subtree.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

Node = Callable[[int, int], bytes]
"""The hash of the complete subtree of 2**level leaves, by its level and its index from the left."""


class ProofError(ValueError):
    """A proof does not hold; says why."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry (section 2.1.1)."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side (section 2.1.1)."""
    return sha256(b"\1" + left + right).digest()


def root_hash(size: int, node: Node) -> bytes:
    """The hash of the tree of the first `size` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """What shows that a leaf is in the tree of `size` leaves, its sibling first (section 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} among {size}")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range_hash(middle, high, node))
            high = middle
        else:
            proof.append(_range_hash(low, middle, node))
            low = middle
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf of this hash stands at this place (section 2.1.3.2). Raises ProofError."""
    if not 0 <= index < size:
        raise ProofError(f"there is no entry {index} among {size}")
    _check_hashes(leaf, *proof)
    at, last = index, size - 1
    found = leaf
    for sibling in proof:
        if not last:
            raise ProofError("the proof is longer than the way to the root")
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof is shorter than the way to the root")
    if found != root:
        raise ProofError(f"the proof of entry {index} leads to another root")


def consistency_proof(first: int, second: int, node: Node) -> list[bytes]:
    """What shows that the tree of `second` leaves begins with that of `first` (section 2.1.4.1)."""
    if not 0 < first <= second:
        raise ValueError(f"a tree of {second} leaves cannot begin with one of {first}")
    proof: list[bytes] = []
    low, high, whole = 0, second, True
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            proof.append(_range_hash(middle, high, node))
            high = middle
        else:
            proof.append(_range_hash(low, middle, node))
            low, whole = middle, False
    if not whole:
        proof.append(_range_hash(low, high, node))
    return proof[::-1]


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the greater tree begins with the smaller one (section 2.1.4.2). Raises ProofError."""
    if not 0 < first <= second:
        raise ProofError(f"a tree of {second} leaves cannot begin with one of {first}")
    if first == second:
        if proof or first_root != second_root:
            raise ProofError("two trees of one size are the same, or nothing can be proved of them")
        return
    old, new = climb(0, first, second, first_root, proof)
    if old != first_root:
        raise ProofError(f"the tree of {second} leaves begins with another one of {first}")
    if new != second_root:
        raise ProofError(f"the proof leads to another root of {second} leaves")


def climb(start: int, end: int, size: int, known: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Go up along the last leaf of the subtree from `start` to before `end`, whose hash is said to be `known`.

    Gives the subtree's hash and the root of the tree of `size` leaves, as the proof has them. Raises ProofError.
    """
    _check_hashes(*proof)
    first, last, total = start, end - 1, size - 1
    while first != last and (last == total or last & 1):
        first, last, total = first >> 1, last >> 1, total >> 1
    hashes = [known, *proof] if first == last else list(proof)
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


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofError(f"a hash has {HASH_SIZE} bytes")


def _split(size: int) -> int:
    """The greatest power of two below a size: where its tree is divided."""
    return 1 << (size - 1).bit_length() - 1


def _range_hash(low: int, high: int, node: Node) -> bytes:
    """The hash of the tree over some leaves; where they begin is a multiple of the part that is complete."""
    size = high - low
    if not size & (size - 1):
        level = size.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(size)
    return node_hash(_range_hash(low, middle, node), _range_hash(middle, high, node))
