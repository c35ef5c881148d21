import datetime

import msgspec
import pytest

from scopekey.audit.entry import Entry, Who, canonical, read_entry

ENTRY = Entry(nonce="00" * 16, at=1, kind="change")


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), b"bytes", datetime.date(2026, 1, 1), {1: "a"}, {"a": {True: 1}}, {1, 2}, Who("key", "k")],
)
def test_what_json_has_no_one_spelling_for_is_refused_in_before_and_after(value):
    for entry in (
        msgspec.structs.replace(ENTRY, after={"x": value}),
        msgspec.structs.replace(ENTRY, before={"x": [value]}),
    ):
        with pytest.raises(ValueError):  # noqa: PT011  any words will do
            canonical(entry)


@pytest.mark.parametrize("at", [1.5, 1.0, True, 2**53])
def test_a_time_is_a_whole_number(at):
    with pytest.raises(ValueError, match="whole numbers"):
        canonical(msgspec.structs.replace(ENTRY, at=at))


def test_an_entry_says_the_same_with_and_without_details():
    full = msgspec.structs.replace(ENTRY, actor=Who("system", "retention"), held=["a:read"], after={})
    bare = msgspec.structs.replace(full, after=None)
    assert canonical(full).replace(b'"after":{},', b"") == canonical(bare)


@pytest.mark.parametrize("encoded", [b"", b"{", b"[]", b"{}", b'{"nonce":1,"at":1,"kind":"change"}', b'{"kind":"x"}'])
def test_what_is_no_entry_is_not_read(encoded):
    with pytest.raises(msgspec.DecodeError):
        read_entry(encoded)


def test_a_member_of_a_later_version_does_not_stop_a_reader():
    later = b'{"at":1,"kind":"change","later":true,"nonce":"' + b"00" * 16 + b'"}'
    assert ENTRY == read_entry(later)
