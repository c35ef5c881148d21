"""The list of attacks is whole: its form is the one that spec/vectors/README.md describes."""

from collections import Counter

import pytest

from tests.attacks.cases import CASES, FILE, GROUPS, Platform, sent

PARTS = {"method", "target", "version", "host", "key", "headers", "body"}


def test_there_are_enough_of_them():
    assert 150 <= len(CASES)


def test_every_id_is_unique_and_names_its_class():
    assert [] == [name for name, count in Counter(case.id for case in CASES).items() if count > 1]
    assert [] == [case.id for case in CASES if case.id.partition("/")[0] != case.group]


def test_every_class_is_told_and_has_cases():
    assert set(GROUPS) == {case.group for case in CASES}
    assert all(GROUPS.values())


def test_every_case_has_a_reason_of_its_own():
    assert [] == [case.id for case in CASES if len(case.why.split()) < 3]
    assert [] == [why for why, count in Counter(case.why for case in CASES).items() if count > 1]


def test_every_case_is_raw_or_in_parts():
    for case in CASES:
        parts = case.row.keys() - {"id", "class", "why", "requests"}
        assert parts == {"raw"} or parts <= PARTS, case.id
        assert case.row.get("key") in {None, *FILE["keys"]}


def test_every_case_is_bytes_with_every_placeholder_filled_in():
    words = Platform().words("127.0.0.1:80")
    for case in CASES:
        bytes_ = case.sent(words)
        assert bytes_, case.id
        assert not [name for name in words if b"{" + name.encode() + b"}" in bytes_], case.id


def test_no_two_cases_are_the_same_bytes():
    words = Platform().words("127.0.0.1:80")
    assert [] == [
        [case.id for case in CASES if case.sent(words) == bytes_]
        for bytes_, count in Counter(case.sent(words) for case in CASES).items()
        if count > 1
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, b"GET /datasets/1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\n\r\n"),
        ({"key": None, "host": [], "method": "POST", "body": "b"}, b"POST /datasets/1 HTTP/1.1\r\n\r\nb"),
        ({"key": None, "host": [["A: ", {"repeat": ["x", 3]}, "y"]]}, b"GET /datasets/1 HTTP/1.1\r\nA: xxxy\r\n\r\n"),
        ({"raw": "\u00ff{host}{other}\r\n"}, b"\xffh{other}\r\n"),
    ],
)
def test_a_row_is_joined_as_the_page_says(row, expected):
    assert expected == sent(row, {"host": "h", "reader": "k"})
