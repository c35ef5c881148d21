"""Entries as rows for other programs: exact, whatever a caller wrote."""

import csv
import io
import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from scopekey.audit.entry import Entry, Who, canonical
from scopekey.audit.merkle import leaf_hash
from scopekey.insight.export_rows import COLUMNS, NUMBERS, csv_lines, json_line, row_of, typed_line

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '"', ",", "\r\n", "\u2028", "\x85", "\0", "\x1b[2J"]


def full(text):
    """An entry that says this text wherever it says any."""
    return Entry(
        nonce="0" * 32,
        at=1_800_000_000_123,
        kind="decision",
        node=text,
        actor=Who("person", text, text),
        organization=text,
        key=text,
        secret=1,
        action=text,
        operation=text,
        object=text,
        required=[[text, text], [text]],
        held=[text],
        used=[text],
        missing=[text],
        intended=[[text, text]],
        allowed=False,
        code=text,
        address=text,
        request_id=text,
        position=2,
        age=3,
        count=4,
        before={text: text},
        after={"a": [text]},
    )


@given(TEXT | st.sampled_from(FORMULAS))
def test_a_row_of_csv_is_read_back_as_it_was(text):
    entry = full(text)
    row = row_of(7, entry, canonical(entry))
    written = csv_lines([COLUMNS, row])
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert [list(COLUMNS), [str(cell) for cell in row]] == read


@given(TEXT | st.sampled_from(FORMULAS))
def test_a_line_of_json_is_one_line_and_holds_the_bytes_that_were_hashed(text):
    entry = full(text)
    body = canonical(entry)
    for line in (json_line(7, body), typed_line(row_of(7, entry, body))):
        assert line.endswith(b"\n")
        assert 1 == line.count(b"\n")
        assert leaf_hash(body).hex() == json.loads(line)["hash"]
    assert body == json_line(7, body)[len(b'{"index":7,"hash":"",') + 64 + len(b'"entry":') : -2]
    assert text == json.loads(typed_line(row_of(7, entry, body)))["object"]


def test_every_column_says_what_its_name_says():
    entry = full("x")
    body = canonical(entry)
    row = dict(zip(COLUMNS, row_of(7, entry, body), strict=True))
    assert {
        "index": 7,
        "hash": leaf_hash(body).hex(),
        "time": "2027-01-15T08:00:00.123Z",
        "kind": "decision",
        "actor_kind": "person",
        "decision": "refused",
        "required": "x, x; x",
        "intended": "x x",
        "secret": 1,
        "position": 2,
        "age": 3,
        "count": 4,
        "before": '{"x":"x"}',
        "after": '{"a":["x"]}',
        "entry": body.decode(),
    }.items() <= row.items()
    assert {"x"} == {row[name] for name in ("organization", "actor", "key", "action", "operation", "object", "code")}
    assert NUMBERS == {name for name, cell in row.items() if isinstance(cell, int)}


def test_what_an_entry_does_not_say_is_absent():
    entry = Entry(nonce="0" * 32, at=2**53 - 1, kind="change")
    row = dict(zip(COLUMNS, row_of(0, entry, canonical(entry)), strict=True))
    assert {"index", "hash", "time", "kind", "entry"} == {name for name, cell in row.items() if cell is not None}
    assert "9999-12-31T23:59:59.999Z" == row["time"]


def test_a_forgiven_refusal_is_reported():
    for asked, expected in (({"allowed": True}, "allowed"), ({"allowed": False, "report": True}, "reported")):
        entry = msgspec.structs.replace(full("x"), **asked)
        assert expected == row_of(0, entry, canonical(entry))[COLUMNS.index("decision")]
