from hashlib import sha256

import msgspec
import pytest

from scopekey.audit.entry import Entry, canonical, read_entry
from tests.vectors.rows import vectors

FILE = vectors("entries.json")
AT = 1_700_000_000_000


def entry_of(written):
    return msgspec.convert(written, Entry)


@pytest.mark.parametrize("row", FILE["rows"], ids=lambda row: row["why"])
def test_an_entry_has_one_spelling(row):
    assert row["canonical"].encode() == canonical(entry_of(row["entry"]))


@pytest.mark.parametrize("row", FILE["rows"], ids=lambda row: row["why"])
def test_the_written_spelling_is_the_hashed_one(row):
    assert row["sha256"] == sha256(row["canonical"].encode()).hexdigest()


@pytest.mark.parametrize("row", FILE["rows"], ids=lambda row: row["why"])
def test_an_entry_reads_back(row):
    assert entry_of(row["entry"]) == read_entry(row["canonical"].encode())


@pytest.mark.parametrize("row", FILE["refused"], ids=lambda row: row["why"])
def test_an_entry_that_has_no_one_spelling_is_refused(row):
    with pytest.raises(ValueError):  # noqa: PT011  the words differ, that it is refused does not
        canonical(Entry(**row["entry"]))


@pytest.mark.parametrize("row", FILE["sizes"], ids=lambda row: row["why"])
def test_an_entry_has_at_most_65535_bytes(row):
    unit, times = row["object"]
    entry = Entry(nonce="000102030405060708090a0b0c0d0e0f", at=AT, kind="decision", object=unit * times)
    if row["size"] is None:
        with pytest.raises(ValueError, match="at most 65535"):
            canonical(entry)
    else:
        assert row["size"] == len(canonical(entry))
