import re

import pytest

from scopekey.core.ids import KeyId, base62, is_key_id, is_organization_id, key_id, organization_id, public_id
from scopekey.core.keyformat import KeyFormat

FORMAT = KeyFormat()
PRINTED = FORMAT.print("live", KeyId("key_0123456789AB"), bytes(32))


@pytest.mark.parametrize("prefix", ["", "a", "a" * 13, "SCK", "s_k", "s k", "sck\n"])
def test_a_prefix_is_2_to_12_small_letters_and_digits(prefix):
    with pytest.raises(ValueError, match="must be 2 to 12"):
        KeyFormat(prefix)


@pytest.mark.parametrize("environments", [(), ("l",), ("live", "Test"), ("a_b",), ("a" * 17,)])
def test_environments_are_2_to_16_small_letters_and_digits(environments):
    with pytest.raises(ValueError, match="environment"):
        KeyFormat("sck", environments)


@pytest.mark.parametrize(
    ("environment", "identity", "random"),
    [
        ("prod", "key_0123456789AB", bytes(32)),
        ("live", "key_0123456789A", bytes(32)),
        ("live", "0123456789AB", bytes(32)),
        ("live", "org_0123456789AB", bytes(32)),
        ("live", "key_0123456789AB", bytes(31)),
        ("live", "key_0123456789AB", bytes(33)),
    ],
)
def test_nothing_is_printed_that_would_not_parse(environment, identity, random):
    with pytest.raises(ValueError, match=r"environment|id of a key|32 random bytes"):
        FORMAT.print(environment, KeyId(identity), random)


def test_the_pattern_finds_a_key_in_a_text_and_nothing_else():
    text = f"KEY={PRINTED}\nx{PRINTED} {PRINTED}0 {PRINTED[:-1]} sck_prod_{PRINTED[9:]} ({PRINTED})"
    assert [PRINTED, PRINTED] == re.findall(FORMAT.pattern, text)


def test_ids_say_what_they_name():
    assert "key_000000000000" == key_id(bytes(16))
    assert "org_000000000000" == organization_id(bytes(16))
    assert is_key_id("key_000000000000")
    assert not is_key_id("key_000000000000\n")
    assert not is_key_id("org_000000000000")
    assert is_organization_id("org_000000000000")
    assert not is_organization_id("org_00000000000-")


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="does not fit"):
        base62(62**6, 6)
    with pytest.raises(ValueError, match="does not fit"):
        base62(-1, 6)
    with pytest.raises(ValueError, match="exactly 16"):
        public_id(bytes(15))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{key}", "key_{id}"),
        ("a={key}&b={key}", "a=key_{id}&b=key_{id}"),
        ("{key}x", "key_{id}"),
        ("{cut}", "key_{id}"),
        ("sck_live_{id}", "sck_live_{id}"),
        ("other_live_{id}xyz", "other_live_{id}xyz"),
        ("key_{id}", "key_{id}"),
        ("", ""),
    ],
)
def test_of_a_key_in_a_text_only_its_id_is_left(text, expected):
    words = {"key": PRINTED, "cut": PRINTED[:-1], "id": "0123456789AB"}
    assert expected.format(**words) == FORMAT.without_secrets(text.format(**words))
