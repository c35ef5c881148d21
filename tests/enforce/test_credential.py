"""One credential in one header, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.enforce.credential import FIELDS, Absent, credential
from scopekey.enforce.fields import fields_of

A, X = b"authorization", b"x-api-key"


@pytest.mark.parametrize(
    ("expected", "headers"),
    [
        ("k", [(A, b"Bearer k")]),
        ("k", [(A, b"bEARER   k ")]),
        ("k", [(X, b" k ")]),
        ("k", [(A, b"Basic dTpw"), (X, b"k")]),
        ("a b", [(A, b"Bearer a b")]),
        ("\xff", [(X, b"\xff")]),
        (Absent.NONE, []),
        (Absent.NONE, [(A, b"")]),
        (Absent.NONE, [(A, b"Bearer")]),
        (Absent.NONE, [(A, b"Bearer ")]),
        (Absent.NONE, [(X, b"")]),
        (Absent.NONE, [(A, b"Basic dTpw")]),
        (Absent.NONE, [(A, b'Digest username="u", realm="r"')]),
        (Absent.NONE, [(A, b"Bearerk")]),
        (Absent.AMBIGUOUS, [(A, b"Bearer k"), (X, b"k")]),
        (Absent.AMBIGUOUS, [(A, b"Bearer k"), (A, b"Bearer k")]),
        (Absent.AMBIGUOUS, [(A, b"Basic dTpw"), (A, b"Bearer k")]),
        (Absent.AMBIGUOUS, [(X, b"k"), (X, b"k")]),
        (Absent.AMBIGUOUS, [(A, b"Bearer k, Bearer l")]),
        (Absent.AMBIGUOUS, [(A, b"Basic dTpw, Bearer l")]),
        (Absent.AMBIGUOUS, [(X, b"k,l")]),
    ],
)
def test_a_request_has_one_key_or_none(expected, headers):
    assert expected == credential(fields_of(headers, FIELDS))


@given(st.lists(st.tuples(st.sampled_from([A, X, b"host"]), st.binary(max_size=40))))
def test_hostile_bytes_never_raise(headers):
    assert isinstance(credential(fields_of(headers, FIELDS)), str | Absent)
