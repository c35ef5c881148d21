from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.core.ids import ALPHABET, base62, is_key_id, key_id
from scopekey.core.keyformat import KeyFormat, is_intact

FORMAT = KeyFormat()
few = settings(max_examples=150, deadline=None)
printed = st.builds(
    lambda environment, id_random, random: FORMAT.print(environment, key_id(id_random), random),
    st.sampled_from(FORMAT.environments),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
)


@few
@given(st.sampled_from(FORMAT.environments), st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
def test_what_is_printed_is_parsed_again(environment, id_random, random):
    identity = key_id(id_random)
    text = FORMAT.print(environment, identity, random)
    parsed = FORMAT.parse(text)
    assert is_key_id(identity)
    assert parsed is not None
    assert (text, environment, identity) == (parsed.text, parsed.environment, parsed.key_id)
    assert is_intact(text)


@few
@given(printed, st.integers(0), st.sampled_from(ALPHABET + "_-é \n") | st.characters())
def test_a_key_with_one_other_character_is_not_intact(text, where, character):
    at = where % len(text)
    if text[at] != character:
        assert not is_intact(text[:at] + character + text[at + 1 :])


@few
@given(printed, st.integers(0))
def test_a_key_with_two_neighbours_swapped_is_not_intact(text, where):
    at = where % (len(text) - 1)
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    assert (swapped == text) is is_intact(swapped)


@few
@given(st.text(max_size=90))
def test_any_text_is_parsed_without_an_exception(text):
    parsed = FORMAT.parse(text)
    assert parsed is None or text == parsed.text
    assert is_intact(text) in {True, False}


@few
@given(st.integers(0, 62**43 - 1))
def test_base62_is_a_number_written_in_another_way(number):
    assert number == sum(ALPHABET.index(digit) * 62**place for place, digit in enumerate(reversed(base62(number, 43))))


@few
@given(st.integers(0, 62**6 - 1), st.integers(0, 62**6 - 1))
def test_base62_sorts_like_the_numbers(one, other):
    assert (one < other) is (base62(one, 6) < base62(other, 6))
