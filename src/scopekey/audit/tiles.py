"""The tree as tiles, and entries as bundles: the layout of C2SP tlog-tiles.

A tile holds up to 256 hashes of one level, eight levels of the tree apart: tile `n` of level `l` has the
hashes of the complete subtrees of 256**l leaves. What is served is never changed but by growing.
"""

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

from scopekey.audit.merkle import HASH_SIZE, Node, root_hash

TILE_WIDTH = 256
_HEIGHT = 8
_MAX_LEVEL = 63
_LENGTH = 2

Tile = Callable[[int, int], bytes]
"""The hashes of a tile by level and number, as many as there are."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileName(NamedTuple):
    """Which tile: `level` is None for a bundle of entries; `width` is how many it holds, 1 to 256."""

    level: int | None
    number: int
    width: int


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """Where a tile stands: `tile/0/x001/x234/067`, a partial one `tile/0/067.p/12`."""
    return f"tile/{level}/{_spelled(number, width)}"


def bundle_path(number: int, width: int = TILE_WIDTH) -> str:
    """Where a bundle of entries stands: `tile/entries/x001/x234/067`."""
    return f"tile/entries/{_spelled(number, width)}"


def read_path(path: str) -> TileName:
    """Read a path of one of the two. Raises ValueError for what is none, and for what is spelled another way."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise ValueError("this is no path of a tile or of a bundle of entries")
    level = None if found["level"] == "entries" else int(found["level"])
    number = int(found["number"].replace("x", "").replace("/", ""))
    width = int(found["width"] or TILE_WIDTH)
    name = TileName(level, number, width)
    spelled = bundle_path(number, width) if level is None else tile_path(level, number, width)
    if spelled != path or width > TILE_WIDTH or (level or 0) > _MAX_LEVEL:
        raise ValueError("this is no path of a tile or of a bundle of entries")
    return name


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes a tile has in a tree of `size` leaves: 0 where it is not there."""
    return max(0, min(TILE_WIDTH, (size >> _HEIGHT * level) - number * TILE_WIDTH))


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Write up to 256 entries, each after its length in two bytes."""
    return b"".join(part for entry in entries for part in (len(entry).to_bytes(_LENGTH, "big"), entry))


def _spelled(number: int, width: int) -> str:
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    whole = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return whole if width == TILE_WIDTH else f"{whole}.p/{width}"


def decode_bundle(encoded: bytes) -> list[bytes]:
    """Read the entries of a bundle. Raises ValueError where it ends in the middle of one, or holds more than 256."""
    entries = []
    at = 0
    while at < len(encoded):
        end = at + _LENGTH + int.from_bytes(encoded[at : at + _LENGTH], "big")
        if end > len(encoded) or at + _LENGTH > len(encoded):
            raise ValueError("a bundle of entries ends in the middle of one")
        entries.append(encoded[at + _LENGTH : end])
        at = end
    if len(entries) > TILE_WIDTH:
        raise ValueError(f"a bundle holds at most {TILE_WIDTH} entries")
    return entries


def node_of(tile: Tile) -> Node:
    """Any complete subtree's hash, from the one tile that it can be computed from. Raises ValueError where it lacks."""

    def node(level: int, index: int) -> bytes:
        above, height = divmod(level, _HEIGHT)
        first = index << height
        hashes = tile(above, first // TILE_WIDTH)
        start = first % TILE_WIDTH * HASH_SIZE
        part = hashes[start : start + (HASH_SIZE << height)]
        if len(part) != HASH_SIZE << height:
            raise ValueError(f"the tile {tile_path(above, first // TILE_WIDTH)} does not reach as far as it must")
        return subtree_hash(part)

    return node


def subtree_hash(hashes: bytes) -> bytes:
    """The hash of a complete subtree, from the hashes at its bottom: a power of two of them, in one piece."""
    size = 2 * HASH_SIZE
    while len(hashes) > HASH_SIZE:
        hashes = b"".join([sha256(b"\1" + hashes[at : at + size]).digest() for at in range(0, len(hashes), size)])
    return hashes


class Growth:
    """A tree to which leaves are appended; of the present one only the tiles at its right edge are read."""

    def __init__(self, size: int, tile: Tile) -> None:
        """`size` is how many leaves there are, `tile` gives the tiles there are."""
        self.size = size
        self._tile = tile
        self._edge: dict[int, bytearray] = {}
        self._changed: dict[tuple[int, int], bytes] = {}

    def append(self, leaf: bytes) -> None:
        """Append the hash of one leaf."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append the hashes of leaves."""
        joined = b"".join(leaves)
        self._grow(0, joined)
        self.size += len(joined) // HASH_SIZE

    def root(self) -> bytes:
        """The hash of the whole tree."""
        return root_hash(self.size, node_of(self._known))

    def changed(self) -> dict[tuple[int, int], bytes]:
        """The tiles that grew, by level and number, with all hashes they have now."""
        last = {
            (level, self._number(level)): bytes(hashes)
            for level, hashes in self._edge.items()
            if hashes and (level, self._number(level)) in self._changed
        }
        return self._changed | last

    def _number(self, level: int, more: int = 0) -> int:
        return (self.size + more >> _HEIGHT * level) // TILE_WIDTH

    def _grow(self, level: int, hashes: bytes) -> None:
        """Append hashes to a level; each tile that is full gives one hash to the level above."""
        edge = self._edge.get(level)
        width = (self.size >> _HEIGHT * level) % TILE_WIDTH * HASH_SIZE
        number = self._number(level)
        if edge is None:
            # More than belongs to this size may be there: what a greater tree left is not part of this one.
            edge = self._edge[level] = bytearray(self._tile(level, number)[:width] if width else b"")
            if len(edge) != width:
                raise ValueError(f"the tile {tile_path(level, number)} does not reach as far as it must")
        full = []
        at = 0
        whole = TILE_WIDTH * HASH_SIZE
        while at < len(hashes):
            part = hashes[at : at + whole - len(edge)]
            at += len(part)
            edge += part
            self._changed[level, number] = b""
            if len(edge) == whole:
                self._changed[level, number] = bytes(edge)
                full.append(subtree_hash(self._changed[level, number]))
                number += 1
                edge.clear()
        if full:
            self._grow(level + 1, b"".join(full))

    def _known(self, level: int, number: int) -> bytes:
        found = self._changed.get((level, number))
        if found:
            return found
        if number == self._number(level) and level in self._edge:
            return bytes(self._edge[level])
        return self._tile(level, number)
