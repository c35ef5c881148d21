import pytest

from scopekey.core.digest import SCHEME, Pepper
from tests.vectors.rows import vectors

FILE = vectors("digests.json")


@pytest.mark.parametrize("row", FILE["rows"], ids=lambda row: f"{row['why']} {row['printed'][:20]}")
def test_a_printed_key_has_one_digest_under_a_pepper(row):
    pepper = Pepper(bytes.fromhex(row["pepper"]))
    assert (row["pepper_id"], row["digest"]) == (pepper.id, pepper.digest(row["printed"]).hex())


@pytest.mark.parametrize("row", FILE["bad_peppers"], ids=lambda row: row["why"])
def test_a_pepper_of_another_length_is_refused(row):
    with pytest.raises(ValueError, match="exactly 32 bytes"):
        Pepper(bytes.fromhex(row["pepper"]))


def test_the_scheme_has_its_number():
    assert FILE["scheme"] == SCHEME
