import pytest

from scopekey.core.ids import ALPHABET, KeyId, base62, public_id
from scopekey.core.keyformat import CHECKSUM_LENGTH, KeyFormat, is_intact
from tests.vectors.rows import vectors

FILE = vectors("keys.json")


def test_the_alphabet_is_digits_then_capitals_then_small_letters():
    assert FILE["alphabet"] == ALPHABET


@pytest.mark.parametrize("row", FILE["base62"], ids=lambda row: row["number"])
def test_a_number_is_written_in_base62(row):
    assert row["text"] == base62(int(row["number"]), row["length"])


@pytest.mark.parametrize("row", FILE["ids"], ids=lambda row: row["why"])
def test_an_id_is_made_from_random_bytes(row):
    assert row["id"] == public_id(bytes.fromhex(row["random"]))


@pytest.mark.parametrize("row", FILE["print"], ids=lambda row: row["why"])
def test_a_key_is_printed(row):
    form = KeyFormat(row["prefix"], (row["environment"],))
    printed = form.print(row["environment"], KeyId(row["key_id"]), bytes.fromhex(row["random"]))
    assert (row["printed"], row["checksum"]) == (printed, printed[-CHECKSUM_LENGTH:])


@pytest.mark.parametrize("row", FILE["parse"], ids=lambda row: row["why"])
def test_a_text_has_the_shape_of_a_key_or_not(row):
    parsed = KeyFormat(row["prefix"], tuple(row["environments"])).parse(row["text"])
    assert row["parsed"] == (parsed and {"environment": parsed.environment, "key_id": parsed.key_id})


@pytest.mark.parametrize("row", FILE["intact"], ids=lambda row: row["why"])
def test_a_text_ends_in_its_checksum_or_not(row):
    assert row["intact"] is is_intact(row["text"])
