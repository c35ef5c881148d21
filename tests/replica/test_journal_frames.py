"""Frames of a journal file: whatever is left of one, what is read was written, and in its order."""

from hypothesis import given
from hypothesis import strategies as st

from scopekey.replica.journal_frames import batch_in, frame, lines

batches = st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" ")), max_size=8)


def read(data):
    return [batch for batch, _ in lines(data)]


@given(batches)
def test_what_was_written_is_read(some):
    assert some == read(b"".join(map(frame, some)))


@given(batches, st.integers(0, 600))
def test_of_a_file_that_was_cut_off_anywhere_a_prefix_is_read(some, size):
    found = read(b"".join(map(frame, some))[:size])
    assert some[: len(found)] == found


@given(batches, st.data())
def test_a_changed_byte_damages_its_frame_and_at_most_the_next_one(some, data):
    whole = bytearray(b"".join(map(frame, [*some, b"last"])))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    found = read(bytes(whole))
    assert {batch for batch in found if batch is not None} <= {*some, b"last"}
    assert len(some) - 1 <= sum(batch is not None for batch in found)


@given(st.binary(max_size=60))
def test_anything_else_is_no_frame(line):
    assert batch_in(line) is None or line == frame(line[9:])[:-1]


def test_a_frame_is_a_line_that_a_person_can_read():
    assert b'9be3e0a3 {"a":1}\n'.split(b" ")[1:] == frame(b'{"a":1}').split(b" ")[1:]
    assert 8 == frame(b"x").index(b" ")
