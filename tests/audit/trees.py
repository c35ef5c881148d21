"""Trees in memory: the plain definition of RFC 9162 section 2.1.1, to hold the quick ones against."""

from hashlib import sha256

from scopekey.audit.tiles import Growth


def leaf(number):
    return sha256(b"leaf %d" % number).digest()


def plain_root(leaves):
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while 2 * left < len(leaves):
        left *= 2
    return sha256(b"\1" + plain_root(leaves[:left]) + plain_root(leaves[left:])).digest()


def plain_node(leaves):
    return lambda level, index: plain_root(leaves[index << level : (index + 1) << level])


def no_tile(level, number):
    return b""


def tiles_of(leaves):
    growth = Growth(0, no_tile)
    growth.extend(leaves)
    return growth.changed()


def reader(tiles):
    return lambda level, number: tiles.get((level, number), b"")
