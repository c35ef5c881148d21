"""The lines of the feed that are no changes, and every way in which a stream is not one that may be read."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.wire.changes import encode_change
from scopekey.wire.feed import (
    Complete,
    End,
    Header,
    Heartbeat,
    ReachedPosition,
    UnreadableFeedError,
    encode_line,
    read_header,
    read_line,
    read_position,
)
from tests.contract.index import ORGANIZATION, REGISTER, RULES, change, key

MARK = "0a" * 16
HEADER = Header(1, "feed1", 7, MARK, peppers=("0a0b0c0d",))


@pytest.mark.parametrize("line", [Heartbeat(7, MARK, 1_000, 3), Complete(12), End("renew", "Again.")])
def test_a_line_reads_back_as_what_was_written(line):
    assert line == read_line(encode_line(line).rstrip(b"\n"))


@pytest.mark.parametrize("state", [key(1), ORGANIZATION, REGISTER, RULES])
def test_a_change_is_a_line_like_the_others(state):
    assert change(9, state) == read_line(encode_change(change(9, state)))


def test_members_may_stand_in_any_order():
    told = msgspec.json.decode(encode_change(change(9, key(1))))
    assert change(9, key(1)) == read_line(msgspec.json.encode(dict(reversed(told.items()))))


def test_a_header_reads_back():
    assert HEADER == read_header(encode_line(HEADER))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"kind": "header", "format": 2, "surprise": 1}, "format 2, this version reads format 1: upgrade"),
        ({**msgspec.to_builtins(HEADER), "critical": ["objects"]}, "needs objects, which this version does not know"),
        ({**msgspec.to_builtins(HEADER), "surprise": 1}, "no header"),
        ({"kind": "end", "code": "revoked_key", "detail": "It was."}, "ended at once (revoked_key): It was."),
        ({"kind": "heartbeat", "position": 1, "mark": MARK, "elapsed": 0}, "no header"),
        ({"html": "no"}, "no header"),
    ],
)
def test_a_stream_that_may_not_be_read_is_refused_with_what_to_do(line, words):
    with pytest.raises(UnreadableFeedError) as refused:
        read_header(msgspec.json.encode(line))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b"{}",
        b'{"kind":"surprise"}',
        b'{"position":3,"mark":"' + MARK.encode() + b'","kind":"surprise","body":{}}',
        encode_line(HEADER),
        b'{"kind":"heartbeat","position":-1,"mark":"","elapsed":0}',
        b'{"kind":"heartbeat","position":1,"mark":"","elapsed":0,"more":1}',
        b"[" * 10_000,
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_not_understood_stops_the_reader(line):
    with pytest.raises(UnreadableFeedError):
        read_line(line)


@given(st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_a_line_or_its_refusal(line):
    for read in (read_line, read_header):
        try:
            read(line)
        except UnreadableFeedError:
            continue


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (ReachedPosition("ab12", 7), "ab12-7"),
        (ReachedPosition("ab-12", 7), " ab-12-7 "),
        *((None, text) for text in ("", "7", "-7", "ab-", "ab-x", "ab-" + "9" * 20, "ab-٣")),
    ],
)
def test_a_position_is_read_or_ignored(expected, text):
    assert expected == read_position(text)


def test_a_position_is_written_as_it_is_read():
    assert "ab12-7" == str(ReachedPosition("ab12", 7))
