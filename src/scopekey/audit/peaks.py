"""A tree that is only walked along: the roots of its complete parts, and with them its root at any size."""

from collections.abc import Iterator

from scopekey.audit.merkle import EMPTY_ROOT, HASH_SIZE, node_hash
from scopekey.audit.tiles import subtree_hash


class Peaks:
    """The complete subtrees that whole tiles of leaves make, the greatest first."""

    def __init__(self) -> None:
        self._tiles = 0
        self._roots: list[bytes] = []

    def push_tile(self, leaves: bytes) -> bytes:
        """Append 256 leaf hashes, in one piece; gives the hash of the subtree that they are."""
        subtree = found = subtree_hash(leaves)
        tiles = self._tiles
        while tiles & 1:
            found = node_hash(self._roots.pop(), found)
            tiles >>= 1
        self._roots.append(found)
        self._tiles += 1
        return subtree

    def root(self, leaves: bytes = b"") -> bytes:
        """The root of the tree of all tiles so far and some more leaves, fewer than 256 or all of them."""
        found: bytes | None = None
        for peak in reversed([*self._roots, *_complete(leaves)]):
            found = peak if found is None else node_hash(peak, found)
        return EMPTY_ROOT if found is None else found


def _complete(leaves: bytes) -> Iterator[bytes]:
    """The roots of the complete subtrees that leaves make, the greatest first."""
    while leaves:
        width = 1 << (len(leaves) // HASH_SIZE).bit_length() - 1
        yield subtree_hash(leaves[: width * HASH_SIZE])
        leaves = leaves[width * HASH_SIZE :]
