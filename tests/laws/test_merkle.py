"""Laws of the audit log: of its tree, of its tiles, and of what a verification finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.audit.merkle import (
    ProofError,
    consistency_proof,
    inclusion_proof,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from scopekey.audit.tiles import (
    TILE_WIDTH,
    Growth,
    decode_bundle,
    encode_bundle,
    node_of,
    read_path,
    tile_path,
    width_at,
)
from scopekey.audit.verify import verify_log
from tests.audit.logs import KEY, Log, body
from tests.audit.trees import leaf, reader, tiles_of

MOST = 1200
LEAVES = [leaf(number) for number in range(MOST)]
TILES = tiles_of(LEAVES)
NODE = node_of(reader(TILES))
ROOTS = [root_hash(size, NODE) for size in range(MOST + 1)]

sizes = st.integers(1, MOST) | st.sampled_from([1, 2, 255, 256, 257, 511, 512, 513, 1024, 1025])


@settings(deadline=None)
@given(st.lists(st.integers(0, 400), max_size=8), st.integers(0, MOST))
def test_a_tree_that_grows_in_any_steps_is_the_tree_made_at_once(steps, start):
    growth = Growth(min(start, MOST), reader(TILES))
    stored = dict(TILES)
    for step in steps:
        growth.extend(LEAVES[growth.size : growth.size + step])
        stored |= growth.changed()
        growth = Growth(growth.size, reader(stored)) if step % 2 else growth
    assert ROOTS[growth.size] == growth.root()
    assert all(TILES[name].startswith(hashes) for name, hashes in growth.changed().items())


@settings(deadline=None)
@given(sizes, st.data())
def test_every_entry_has_a_proof_and_no_other_proof_will_do(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, NODE)
    verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])
    parts = [LEAVES[index], ROOTS[size], *proof]
    changed = flipped(parts, data)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, changed[0], changed[2:], changed[1])
    other = data.draw(st.integers(-1, size + 1).filter(lambda at: at != index))
    with pytest.raises(ProofError):
        verify_inclusion(other, size, LEAVES[index], proof, ROOTS[size])


@settings(deadline=None)
@given(sizes, st.data())
def test_every_earlier_tree_has_a_proof_and_no_other_proof_will_do(second, data):
    first = data.draw(st.integers(1, second))
    proof = consistency_proof(first, second, NODE)
    verify_consistency(first, second, ROOTS[first], ROOTS[second], proof)
    changed = flipped([ROOTS[first], ROOTS[second], *proof], data)
    with pytest.raises(ProofError):
        verify_consistency(first, second, changed[0], changed[1], changed[2:])


def flipped(parts, data):
    """The same byte strings, but for one bit of one of them."""
    which, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    wrong = bytearray(parts[which])
    wrong[bit // 8] ^= 1 << bit % 8
    return [*parts[:which], bytes(wrong), *parts[which + 1 :]]


@settings(deadline=None)
@given(sizes)
def test_an_older_tile_is_the_beginning_of_the_newer_one(size):
    for (level, number), hashes in tiles_of(LEAVES[:size]).items():
        assert width_at(level, number, size) * 32 == len(hashes)
        assert TILES[level, number].startswith(hashes)


@settings(deadline=None)
@given(st.integers(0, 63), st.integers(0, 2**60), st.integers(1, TILE_WIDTH))
def test_every_tile_has_one_path(level, number, width):
    assert (level, number, width) == read_path(tile_path(level, number, width))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=TILE_WIDTH))
def test_a_bundle_reads_back(entries):
    assert entries == decode_bundle(encode_bundle(entries))


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_whatever_is_read_as_a_bundle_was_written_as_one(encoded):
    try:
        entries = decode_bundle(encoded)
    except ValueError:
        return
    assert encoded == encode_bundle(entries)


TAMPERINGS = ("change", "delete", "insert", "reorder", "truncate", "roll back", "rewrite")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TAMPERINGS), st.integers(2, 600), st.sets(st.integers(1, 600), max_size=3), st.data())
def test_every_tampering_is_found_where_it_begins(tampering, size, stops, data):
    bodies = [body(number) for number in range(size)]
    signed = sorted({stop for stop in stops if stop < size} | {size})
    log = Log(bodies, sizes=signed, per_run=data.draw(st.sampled_from([1, 100, 256, 1000])))
    head = log.heads()[-1]
    assert verify_log(log, KEY, heads=[head])

    index = data.draw(st.integers(0, size - 1))
    renumbered = data.draw(st.booleans())
    expected = index
    if tampering == "change":
        log.rows[index] = (index, data.draw(st.binary(max_size=40)))
    elif tampering == "delete":
        del log.rows[index]
    elif tampering == "insert":
        log.rows.insert(index, (index, b"put in"))
    elif tampering == "reorder":
        other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index))
        log.rows[index], log.rows[other] = (index, bodies[other]), (other, bodies[index])
        expected = min(index, other)
    elif tampering == "truncate":
        del log.rows[index:]
    elif tampering == "roll back":
        log.seal(bodies[:index], {index})
        expected = size
    else:
        log.rows[index] = (index, b"written anew")
        log.hash_anew()
        expected = next(stop for stop in signed if stop > index)
    if renumbered and tampering in {"delete", "insert"}:
        log.renumber()

    report = verify_log(log, KEY, heads=[head])
    assert not report
    assert expected == (report.size if report.size is not None else report.index)
    assert (report.size is not None) == (tampering in {"roll back", "rewrite"})
    if tampering == "roll back":
        assert "head" == report.kind
        assert verify_log(log, KEY)
