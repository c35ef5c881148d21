"""Batches of one file that become one: the same entries, under the same numbers."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.replica.batch import Batch
from scopekey.replica.batch_bytes import encode
from scopekey.replica.batch_joining import head_of, join, readable_parts
from scopekey.replica.refusals import Cell
from scopekey.wire.decisions import MAX_TEXT, read_batch, write_batch
from tests.replica.journals import FILE, NODE, denied, event

events = st.builds(
    lambda make, number, operation: make(number, operation=f"GET /{operation}"),
    st.sampled_from([event, denied]),
    st.integers(0, 99),
    st.integers(0, 3),
)


@given(st.lists(st.lists(events, min_size=1, max_size=4), min_size=1, max_size=5), st.integers(0, 9))
def test_joined_batches_are_the_entries_of_each_in_their_order(some, offset):
    batches, number = [], offset
    for part in some:
        batches.append(encode(Batch(FILE, number, 0, tuple(part)), NODE))
        number += len(part)
    read, entries = read_batch(join(batches, offset), bytes)
    assert (offset, number, offset) == (read.offset, read.next, read.lost)
    assert [entry for batch in batches for entry in read_batch(batch, bytes)[1]] == entries


def test_what_parts_have_in_common_stands_once():
    batches = [encode(Batch(FILE, at, 0, (event(at),)), NODE) for at in range(50)]
    joined = json.loads(join(batches, 0))
    assert (1, 1, 50) == (len(joined["operations"]), len(joined["grants"]), len(joined["decisions"]))


def test_the_last_part_may_hold_counts():
    counted = encode(Batch(FILE, 1, 0, (event(1),), ((Cell(0, "unknown_key", "::/48"), 2),)), NODE)
    read, _ = read_batch(join([encode(Batch(FILE, 0, 0, (event(0),)), NODE), counted], 0), bytes)
    assert (2, 1) == (len(read.decisions), len(read.refusals))


@pytest.mark.parametrize("batch", [b"", b"{", b"\xff", b"[]", b'{"offset":0}', b'{"offset":"0"}'])
def test_what_is_no_batch_has_no_numbers(batch):
    assert head_of(batch) is None


def test_the_numbers_of_a_batch_are_read_without_its_records():
    head = head_of(encode(Batch(FILE, 7, 2, (event(1), event(2))), NODE))
    assert (7, 2, 9, 2) == (head.offset, head.lost, head.next, len(head))
    assert 8 == head_of(write_batch(node=NODE, file=FILE, offset=7, lost=0, cut=30)).next


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(0, 3), st.booleans())
def test_without_what_nobody_can_record_the_others_keep_their_numbers(good, lost, counted):
    some = tuple(event(at, object="o" if ok else "x" * (MAX_TEXT + 1)) for at, ok in enumerate(good))
    counts = ((Cell(0, "unknown_key", "::/48"), 2),) * counted
    parts, bad = readable_parts(encode(Batch(FILE, 10 + lost, lost, some, counts), NODE))
    assert good.count(False) == bad
    expected, kept, missing = 10, [], 0
    for part in parts:
        read, _ = read_batch(part, bytes)
        assert expected == read.offset - read.lost
        missing += read.lost
        kept += [read.offset - 10 - lost + at for at in range(len(read))]
        expected = read.next
    assert expected == 10 + lost + len(some) + counted
    assert [at for at, ok in enumerate([*good, *[True] * counted]) if ok] == kept
    assert lost + bad == missing


def test_texts_pass_through_as_they_stand():
    odd = event(1, object='é\u2028"\\\x01', request_id="r1")
    one = encode(Batch(FILE, 0, 0, (odd,)), NODE)
    assert msgspec.json.decode(one)["decisions"][0][8] == msgspec.json.decode(join([one, one], 0))["decisions"][1][8]
