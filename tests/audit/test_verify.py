"""Whatever is changed in a log is found, and the first fault is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.audit.checkpoint import Checkpoint, sign_checkpoint
from scopekey.audit.merkle import leaf_hash
from scopekey.audit.source import Run
from scopekey.audit.tiles import Growth
from scopekey.audit.verify import Intact, verify_log
from tests.audit.made import KEY, ORIGIN, SEED, MadeLog, body

PIECES = st.lists(st.sampled_from([1, 2, 5, 60, 255, 256, 257, 300]), min_size=1, max_size=6)


def rewritten(log, change, seed=SEED):
    """The same log with some entries changed and every hash, tile and checkpoint made anew."""
    sizes = [int(note.split("\n")[1]) for note in log.notes]
    fresh = MadeLog()
    bodies = [change(index, log.entries[index]) for index in sorted(log.entries)]
    for before, size in zip([0, *sizes], sizes, strict=False):
        fresh.seal(bodies[before:size], seed=seed)
    return fresh


@given(PIECES)
@settings(max_examples=40, deadline=None)
def test_a_log_that_nobody_touched_is_intact(pieces):
    log = MadeLog(*pieces)
    found = verify_log(log, KEY, heads=log.notes)
    size = sum(pieces)
    assert Intact(ORIGIN, size, found.root, 0, size, len(pieces), len(pieces)) == found


def test_an_empty_log_is_intact():
    assert verify_log(MadeLog(), KEY)


@given(PIECES, st.data())
@settings(max_examples=150, deadline=None)
def test_tampering_is_found_and_its_first_index_named(pieces, data):
    log = MadeLog(*pieces)
    size = len(log.entries)
    index = data.draw(st.integers(0, size - 1))
    kind = data.draw(st.sampled_from(["change", "delete", "insert", "reorder", "truncate", "hash", "fault"]))
    expected = index
    if kind == "change":
        log.entries[index] = log.entries[index].replace(b"true", b"tru3")
    elif kind == "delete":
        del log.entries[index]
    elif kind == "insert":
        bodies = [log.entries[at] for at in range(size)]
        bodies.insert(index, body(10**6))
        log.entries = dict(enumerate(bodies))
    elif kind == "reorder":
        other = (index + 1) % size
        log.entries[index], log.entries[other] = log.entries[other], log.entries[index]
        expected = min(index, other)
        if size == 1:
            return
    elif kind == "truncate":
        log.entries = {at: one for at, one in log.entries.items() if at < index}
    elif kind == "hash":
        place = index // 256
        hashes = bytearray(log.tiles[0, place])
        hashes[index % 256 * 32] ^= 1
        log.tiles[0, place] = bytes(hashes)
    else:
        plain = log.runs
        faults = {index: "its column `key` says something else"}
        log.runs = lambda: (
            Run(first, bodies, {at: why for at, why in faults.items() if first <= at < first + len(bodies)})
            for first, bodies, _ in plain()
        )
    found = verify_log(log, KEY)
    assert not found
    assert (expected, str(expected)) == (found.index, str(expected) if str(expected) in found.why else found.why)


@given(PIECES, st.data())
@settings(max_examples=60, deadline=None)
def test_where_hashes_were_rewritten_too_the_first_checkpoint_that_no_longer_fits_is_named(pieces, data):
    log = MadeLog(*pieces)
    index = data.draw(st.integers(0, len(log.entries) - 1))
    fresh = rewritten(log, lambda at, one: one.replace(b"true", b"null") if at == index else one)
    fresh.notes = log.notes
    found = verify_log(fresh, KEY)
    sizes = [int(note.split("\n")[1]) for note in log.notes]
    assert ("checkpoint", min(size for size in sizes if size > index)) == (found.fault, found.size)


@pytest.mark.parametrize("kept", [100, 300, 600])
def test_a_rewrite_by_the_holder_of_the_signing_key_is_found_with_a_head_kept_elsewhere(kept):
    log = MadeLog(100, 200, 300)
    fresh = rewritten(log, lambda at, one: one.replace(b"true", b"null") if at == 50 else one)
    head = next(note for note in log.notes if note.split("\n")[1] == str(kept))
    assert verify_log(fresh, KEY), "without a head nobody can tell"
    found = verify_log(fresh, KEY, heads=[head])
    assert ("head", kept) == (found.fault, found.size)


def test_an_older_copy_that_was_put_back_is_found_with_a_head_kept_elsewhere():
    older, newer = MadeLog(100, 200), MadeLog(100, 200, 300)
    assert verify_log(older, KEY, heads=newer.notes[:2])
    found = verify_log(older, KEY, heads=newer.notes)
    assert ("head", 600, True) == (found.fault, found.size, "an older copy was put back" in found.why)


def test_a_checkpoint_with_another_signature_is_named():
    log = MadeLog(10, 10, 10)
    log.notes[1] = sign_checkpoint(Checkpoint(ORIGIN, 20, bytes(32)), bytes(32))
    found = verify_log(log, KEY)
    assert ("checkpoint", 10) == (found.fault, found.size)


def test_a_newest_checkpoint_of_another_key_is_refused():
    assert "checkpoint" == verify_log(MadeLog(10, seed=bytes(32)), KEY).fault


def test_a_checkpoint_that_goes_back_is_named():
    log = MadeLog(10, 10, 10)
    log.notes = [log.notes[1], log.notes[0], log.notes[2]]
    assert "checkpoint" == verify_log(log, KEY).fault


def test_a_head_that_is_none_is_refused():
    log = MadeLog(10)
    assert "head" == verify_log(log, KEY, heads=["nothing of the kind"]).fault


def test_a_higher_tile_that_was_changed_is_named_with_the_first_entry_it_stands_for():
    log = MadeLog(700)
    log.tiles[1, 0] = log.tiles[1, 0][:32] + bytes(32)
    found = verify_log(log, KEY)
    assert ("tile", 256) == (found.fault, found.index)


def test_a_row_behind_the_end_is_found():
    log = MadeLog(10)
    log.entries[10] = body(10)
    found = verify_log(log, KEY)
    assert ("order", 10) == (found.fault, found.index)


def test_entries_that_are_kept_nowhere_are_stood_in_for_by_their_hashes():
    log = MadeLog(700)
    log.begins = 512
    log.entries = {at: one for at, one in log.entries.items() if at >= 512}
    found = verify_log(log, KEY)
    assert (512, 188, 700) == (found.begins, found.entries, found.size)
    log.tiles[0, 1] = log.tiles[0, 0]
    assert not verify_log(log, KEY)


def test_it_tells_how_far_it_is():
    told = []
    verify_log(MadeLog(250), KEY, told=told.append)
    assert [100, 200, 250] == told


def test_the_made_log_is_what_the_tree_says():
    log = MadeLog(300)
    tree = Growth(0, lambda *_: b"")
    tree.extend([leaf_hash(one) for one in log.entries.values()])
    assert log.tiles == tree.changed()
