"""What a stranger could send: refused by the models, before anything is asked or changed."""

import pytest
from pydantic import ValidationError

from scopekey.wire.resources import CreateKey, CreateOrganization, EditKey, RevokeKey, RotateKey, Verify

TEXTS = ["", "a\0b", "a\nb", "a\x1bb", "a\x7fb", "a\x85b", "a\ud800b", "x" * 10_000]
NETWORKS = [
    *("10.0.0.1/8", "10.0.0.0/33", "10.0.0.0:80", "10.0.0.0/8:80", "[::1]:80", "::1%eth0", "::ffff:10.0.0.1"),
    *("10.0.0.0/255.0.0.0", "010.0.0.1", "10.1", "", " 10.0.0.0/8", "10.0.0.0/8\n", "1" * 10_000, "0x0a.0.0.0"),
]
DURATIONS = [
    "-1d",
    "+1d",
    "1.5d",
    "1e9d",
    "",
    "d",
    "P",
    "PT",
    "P-1D",
    "999999w",
    "1d\n",
    "1d 1d",
    "१d",
    "9" * 10_000 + "d",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_name_is_printable_and_short(text):
    for model, asked in (
        (CreateKey, {"name": text, "permissions": []}),
        (CreateKey, {"name": "a", "permissions": [text]}),
        (CreateKey, {"name": "a", "preset": text}),
        (CreateKey, {"name": "a", "permissions": [], "environment": text}),
        (CreateKey, {"name": "a", "permissions": [], "organization": text}),
        (CreateKey, {"name": "a", "permissions": [], "metadata": {text: "x"}}),
        (EditKey, {"name": text}),
        (CreateOrganization, {"name": text}),
    ):
        with pytest.raises(ValidationError):
            model(**asked)


@pytest.mark.parametrize("text", ["a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\ud800b", "x" * 10_000])
def test_longer_text_may_have_lines_but_nothing_that_moves_a_terminal(text):
    assert "a\tb\nc" == RevokeKey(reason="other", comment="a\tb\nc").comment
    for model, asked in (
        (RevokeKey, {"reason": "other", "comment": text}),
        (EditKey, {"metadata": {"a": text}}),
    ):
        with pytest.raises(ValidationError):
            model(**asked)


@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_not_exactly_one_network_is_refused(network):
    with pytest.raises(ValidationError):
        EditKey(allowed_networks=[network])


@pytest.mark.parametrize("duration", DURATIONS)
def test_what_is_no_length_of_time_is_refused(duration):
    for model, asked in ((EditKey, {"expires_in": duration}), (RotateKey, {"overlap": duration})):
        with pytest.raises(ValidationError):
            model(**asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"expires_in": "1d", "never_expires": True},
        {"expires_in": "1d", "expires_at": "2030-01-01T00:00:00Z"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"expires_at": "never"},
        {"permissions": ["a:read"] * 1_001},
        {"allowed_networks": ["10.0.0.0/8"] * 101},
        {"metadata": {str(number): "" for number in range(21)}},
        {"grant": -1},
        {"secrets": []},
    ],
    ids=[
        "two ends",
        "two ends again",
        "no zone",
        "no time",
        "permissions",
        "networks",
        "metadata",
        "a field",
        "another",
    ],
)
def test_too_much_or_something_else_is_refused(asked):
    with pytest.raises(ValidationError):
        EditKey(**asked)


def test_a_key_that_is_asked_about_is_not_repeated_by_its_question():
    assert "sck_live" not in repr(Verify(key="sck_live_canary", permissions=[]))
