"""Tiles and entry bundles: how the tree and the entries are cut into files (C2SP tlog-tiles).

A tile holds up to 256 hashes of one level; tiles of level `l` hold subtrees of 256**l entries. Only a
full tile has a hash in the level above. A bundle holds the entries of one tile of level 0.
"""

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from scopekey.audit.merkle import EMPTY_ROOT, HASH_SIZE, Node, node_hash

TILE_WIDTH = 256
TILE_HEIGHT = 8
MAX_LEVEL = 63
MAX_LENGTH = 65_535
"""The most bytes one entry of a bundle may have."""

Tile = Callable[[int, int], bytes]
"""`(level, number)`: the hashes of a tile, one after another, as stored: maybe more than an older size needs."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileName(NamedTuple):
    """What a path names: a tile, or the bundle of entries where `level` is None. A full one has width 256."""

    level: int | None
    number: int
    width: int = TILE_WIDTH


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """Name a tile: ``tile/0/x001/x234/067.p/12``."""
    return _path(str(level), number, width)


def bundle_path(number: int, width: int = TILE_WIDTH) -> str:
    """Name a bundle of entries: ``tile/entries/x001/x234/067``."""
    return _path("entries", number, width)


def read_path(path: str) -> TileName:
    """Read the name of a tile or a bundle. Raises ValueError for every other spelling."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise ValueError("no path of a tile or a bundle of entries")
    level = None if found["level"] == "entries" else int(found["level"])
    name = TileName(level, int(found["number"].replace("/", "").replace("x", "")), int(found["width"] or TILE_WIDTH))
    # One tile has one path: x000/001 is none, and neither is a full tile spelt as a partial one.
    if _path(found["level"], name.number, name.width) != path or name.width > TILE_WIDTH or (level or 0) > MAX_LEVEL:
        raise ValueError("no path of a tile or a bundle of entries")
    return name


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes a tile has in the tree of `size` entries: 0 where there is no such tile, up to 256."""
    hashes = size >> TILE_HEIGHT * level
    return max(0, min(TILE_WIDTH, hashes - number * TILE_WIDTH))


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Write entries one after another, each after its length in two bytes. Raises ValueError for a longer one."""
    written: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_LENGTH:
            raise ValueError(f"an entry has {len(entry)} bytes; a bundle takes at most {MAX_LENGTH}")
        written += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(written)


def decode_bundle(encoded: bytes) -> list[bytes]:
    """Read the entries of a bundle back. Raises ValueError where it is cut off, or holds more than 256."""
    entries: list[bytes] = []
    place, end = 0, len(encoded)
    while place < end:
        begin = place + 2
        place = begin + int.from_bytes(encoded[place:begin], "big")
        if begin > end or place > end:
            raise ValueError(f"the bundle is cut off within its entry {len(entries)}")
        entries.append(encoded[begin:place])
    if len(entries) > TILE_WIDTH:
        raise ValueError(f"the bundle holds {len(entries)} entries; at most {TILE_WIDTH} belong into one")
    return entries


def node_of(tile: Tile) -> Node:
    """Read the hash of any complete subtree out of tiles.

    It asks for one tile each time and remembers nothing. What it gives raises LookupError where a
    tile is shorter than the subtree needs.
    """

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        number, first = divmod(index << height, TILE_WIDTH)
        end = first + (1 << height)
        hashes = tile(tile_level, number)
        if len(hashes) < end * HASH_SIZE:
            raise LookupError(
                f"tile {tile_path(tile_level, number)} has {len(hashes) // HASH_SIZE} hashes, and {end} are needed"
            )
        row = [hashes[place * HASH_SIZE : (place + 1) * HASH_SIZE] for place in range(first, end)]
        while len(row) > 1:
            row = list(map(node_hash, row[::2], row[1::2]))
        return row[0]

    return node


class Growth:
    """Appends leaves to a tree of `size` entries of which only the right edge is read, and says which tiles change.

    At most one tile of each level is read, at once. Raises LookupError where it has too few hashes.
    """

    def __init__(self, size: int, tile: Tile) -> None:
        self.size: int = size
        self._settled = size
        self._filled: dict[tuple[int, int], bytes] = {}
        self._edges: list[_Edge] = []
        hashes = size
        while hashes:
            number, width = divmod(hashes, TILE_WIDTH)
            level = len(self._edges)
            stored = tile(level, number) if width else b""
            if len(stored) < width * HASH_SIZE:
                raise LookupError(
                    f"tile {tile_path(level, number)} has {len(stored) // HASH_SIZE} hashes,"
                    f" and {width} are needed to go on from {size} entries"
                )
            edge = _Edge(number)
            edge.extend([stored[place * HASH_SIZE : (place + 1) * HASH_SIZE] for place in range(width)])
            self._edges.append(edge)
            hashes = number

    def append(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes, each of 32 bytes."""
        coming = iter(leaves)
        while chunk := list(islice(coming, TILE_WIDTH - self.size % TILE_WIDTH)):
            self._add(0, chunk)
            self.size += len(chunk)

    def root(self) -> bytes:
        """Compute the root of all that was appended so far; cheap at any size."""
        root = b""
        for edge in self._edges:
            for peak in edge.peaks():
                root = node_hash(peak, root) if root else peak
        return root or EMPTY_ROOT

    def changed(self) -> dict[tuple[int, int], bytes]:
        """The tiles that grew since the beginning or the last `settle`: `(level, number)`, and all its hashes."""
        tiles = dict(self._filled)
        for level, edge in enumerate(self._edges):
            if edge.width and self.size >> TILE_HEIGHT * level != self._settled >> TILE_HEIGHT * level:
                tiles[level, edge.number] = edge.hashes()
        return tiles

    def settle(self) -> None:
        """Let go of the tiles that changed so far: they are stored, and `changed` begins anew."""
        self._filled = {}
        self._settled = self.size

    def _add(self, level: int, hashes: list[bytes]) -> None:
        if level == len(self._edges):
            self._edges.append(_Edge(0))
        edge = self._edges[level]
        edge.extend(hashes)
        if edge.width == TILE_WIDTH:
            self._filled[level, edge.number] = edge.hashes()
            self._edges[level] = _Edge(edge.number + 1)
            self._add(level + 1, edge.rows[TILE_HEIGHT])


class _Edge:
    """The last tile of a level, not yet full, with the nodes inside it: row `k` has those over 2**k hashes."""

    __slots__ = ("number", "rows")

    def __init__(self, number: int) -> None:
        self.number = number
        self.rows: list[list[bytes]] = [[] for _ in range(TILE_HEIGHT + 1)]

    @property
    def width(self) -> int:
        return len(self.rows[0])

    def hashes(self) -> bytes:
        return b"".join(self.rows[0])

    def extend(self, hashes: list[bytes]) -> None:
        self.rows[0] += hashes
        below = self.rows[0]
        for row in self.rows[1:]:
            first, end = 2 * len(row), len(below) & ~1
            if first == end:
                break
            # node_hash, written out: this is where the time goes.
            row += [
                sha256(b"\1" + left + right).digest()
                for left, right in zip(below[first:end:2], below[first + 1 : end : 2], strict=True)
            ]
            below = row

    def peaks(self) -> Iterable[bytes]:
        """The greatest complete subtrees, from the right: from the smallest."""
        width = self.width
        for height, row in enumerate(self.rows):
            if width >> height & 1:
                yield row[(width >> height) - 1]


def _path(level: str, number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join([*('x' + group for group in groups[:-1]), groups[-1]])}{partial}"
