import pytest

from scopekey.audit.merkle import EMPTY_ROOT, root_hash
from scopekey.audit.tiles import (
    Growth,
    TileName,
    bundle_path,
    decode_bundle,
    encode_bundle,
    node_of,
    read_path,
    tile_path,
    width_at,
)
from tests.audit.trees import leaf, no_tile, plain_node, plain_root, reader, tiles_of

LEAVES = [leaf(number) for number in range(700)]
PATHS = [
    ("tile/0/000", TileName(0, 0, 256)),
    ("tile/0/273.p/112", TileName(0, 273, 112)),
    ("tile/2/000.p/1", TileName(2, 0, 1)),
    ("tile/63/001", TileName(63, 1, 256)),
    ("tile/1/x001/x234/067", TileName(1, 1_234_067, 256)),
    ("tile/0/x001/x234/067.p/12", TileName(0, 1_234_067, 12)),
    ("tile/entries/x001/000.p/255", TileName(None, 1000, 255)),
    ("tile/entries/999", TileName(None, 999, 256)),
]


@pytest.mark.parametrize(("path", "name"), PATHS)
def test_a_path_names_a_tile_or_a_bundle(path, name):
    level, number, width = name
    assert name == read_path(path)
    assert path == (bundle_path(number, width) if level is None else tile_path(level, number, width))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "tile/data/000",
        "tile/entries/../checkpoint",
    ],
)
def test_every_other_spelling_is_refused(path):
    with pytest.raises(ValueError, match="no path of a tile"):
        read_path(path)


def test_a_size_says_how_wide_each_tile_is():
    assert [256, 112, 0] == [width_at(0, number, 70_000) for number in (272, 273, 274)]
    assert [256, 17, 0] == [width_at(1, number, 70_000) for number in (0, 1, 2)]
    assert [1, 0] == [width_at(2, number, 70_000) for number in (0, 1)]
    assert [256, 1, 0] == [width_at(level, 0, 256) for level in (0, 1, 2)]
    assert 0 == width_at(0, 0, 0)


def test_a_bundle_holds_entries_after_their_lengths():
    entries = [b"", b"one", b"x" * 65_535]
    assert b"\0\0\0\3one\xff\xff" == encode_bundle(entries)[:9]
    assert entries == decode_bundle(encode_bundle(entries))
    assert [] == decode_bundle(b"")


def test_an_entry_that_has_no_length_in_two_bytes_goes_into_no_bundle():
    with pytest.raises(ValueError, match="65536 bytes"):
        encode_bundle([b"x" * 65_536])


@pytest.mark.parametrize("encoded", [b"\0", b"\0\1", b"\0\0\0", b"\0\3on", b"\0\0" * 257])
def test_a_bundle_that_is_cut_off_or_too_long_is_refused(encoded):
    with pytest.raises(ValueError, match="the bundle"):
        decode_bundle(encoded)


def test_a_tree_that_grows_has_the_roots_of_the_definition():
    growth = Growth(0, no_tile)
    assert EMPTY_ROOT == growth.root()
    for size, one in enumerate(LEAVES[:300], 1):
        growth.append(one)
        assert (size, plain_root(LEAVES[:size])) == (growth.size, growth.root())


def test_it_goes_on_from_the_tiles_of_an_earlier_time_and_says_what_changed():
    tiles = tiles_of(LEAVES[:510])
    growth = Growth(510, reader(tiles))
    assert {} == growth.changed()
    growth.append(LEAVES[510])
    assert {(0, 1): b"".join(LEAVES[256:511])} == growth.changed()
    growth.extend(LEAVES[511:])
    assert [(0, 1), (0, 2), (1, 0)] == sorted(growth.changed())
    assert plain_root(LEAVES) == growth.root()
    assert tiles_of(LEAVES) == tiles | growth.changed()


def test_what_was_settled_is_not_told_again():
    growth = Growth(0, no_tile)
    growth.extend(LEAVES[:600])
    growth.settle()
    assert {} == growth.changed()
    growth.extend(LEAVES[600:])
    assert {(0, 2): b"".join(LEAVES[512:])} == growth.changed()


def test_a_tile_of_a_later_time_will_do_to_go_on_from_an_earlier_one():
    tiles = tiles_of(LEAVES)
    growth = Growth(513, reader(tiles))
    growth.extend(LEAVES[513:])
    assert plain_root(LEAVES) == growth.root()


def test_a_tile_that_is_too_short_stops_both_the_growing_and_the_reading():
    tiles = tiles_of(LEAVES[:10])
    with pytest.raises(LookupError, match="tile/0/000 has 10 hashes, and 11 are needed"):
        Growth(11, reader(tiles))
    with pytest.raises(LookupError, match="tile/0/000 has 10 hashes, and 16 are needed"):
        node_of(reader(tiles))(3, 1)


def test_any_complete_subtree_is_read_out_of_tiles():
    node, plain = node_of(reader(tiles_of(LEAVES))), plain_node(LEAVES)
    for level in range(10):
        for index in range(len(LEAVES) >> level):
            assert plain(level, index) == node(level, index)
    assert plain_root(LEAVES) == root_hash(len(LEAVES), node)


def test_a_deep_tree_has_tiles_of_three_levels():
    many = [leaf(number % 7) for number in range(70_000)]
    tiles = tiles_of(many)
    assert (274, 2, 1) == tuple(sum(level == wanted for level, _ in tiles) for wanted in range(3))
    assert (112 * 32, 17 * 32, 32) == (len(tiles[0, 273]), len(tiles[1, 1]), len(tiles[2, 0]))
    assert root_hash(70_000, node_of(reader(tiles))) == Growth(70_000, reader(tiles)).root()
