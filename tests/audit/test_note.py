from base64 import b64encode

import pytest

from scopekey.audit.note import (
    MAX_SIGNATURES,
    NoteError,
    VerifierKey,
    open_note,
    sign_note,
    split_notes,
    verifier_key,
)

# The example of C2SP signed-note, section "Verifier keys".
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo"
    " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example of golang.org/x/mod/sumdb/note, whose key was published to be tested with.
GO_SEED = bytes.fromhex("810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173")
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann"
    " x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
KEY = VerifierKey.parse(GO_KEY)
SIGNATURE = GO_NOTE.splitlines()[-1]


def other(number):
    return f"— other.example/{number} {b64encode(bytes(68)).decode()}"


def with_signatures(*lines):
    return f"{GO_TEXT}\n" + "".join(f"{line}\n" for line in lines)


def test_the_published_examples_verify():
    assert "This is an example message.\n" == open_note(SPEC_NOTE, VerifierKey.parse(SPEC_KEY))
    assert GO_TEXT == open_note(GO_NOTE, KEY)


def test_signing_gives_the_published_bytes():
    assert GO_NOTE == sign_note(GO_TEXT, "PeterNeumann", GO_SEED)


def test_a_verifier_key_is_written_as_it_was_read():
    assert SPEC_KEY == str(VerifierKey.parse(SPEC_KEY))
    assert GO_KEY == str(verifier_key("PeterNeumann", GO_SEED))
    assert "530d903a" == VerifierKey.parse(SPEC_KEY).key_id.hex()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "example.com/foo+530d903a+not base64",
    ],
)
def test_anything_else_is_no_verifier_key(text):
    with pytest.raises(NoteError, match="verifier key"):
        VerifierKey.parse(text)


def test_the_text_ends_at_the_last_empty_line_and_may_hold_others():
    text = "one\n\n— two AAAA\n\n\n"
    assert text == open_note(sign_note(text, KEY.name, GO_SEED), KEY)


def test_signatures_by_others_are_ignored_whoever_they_are():
    assert GO_TEXT == open_note(with_signatures(other(1), SIGNATURE, other(2)), VerifierKey.parse(SPEC_KEY), KEY)
    same_name = f"— PeterNeumann {b64encode(bytes(68)).decode()}"
    assert GO_TEXT == open_note(with_signatures(same_name, SIGNATURE), KEY)


@pytest.mark.parametrize("signature", [bytes(64), bytes(63), bytes(65), b"\1"])
def test_a_signature_of_the_key_that_fails_condemns_the_note_even_beside_a_good_one(signature):
    wrong = f"— PeterNeumann {b64encode(KEY.key_id + signature).decode()}"
    with pytest.raises(NoteError, match="does not verify"):
        open_note(with_signatures(SIGNATURE, wrong), KEY)


def test_a_text_that_was_changed_does_not_verify():
    with pytest.raises(NoteError, match="does not verify"):
        open_note(GO_NOTE.replace("think", "thank"), KEY)


def test_a_note_that_nobody_known_signed_is_refused():
    with pytest.raises(NoteError, match="not signed by PeterNeumann"):
        open_note(SPEC_NOTE, KEY)
    with pytest.raises(NoteError, match="anybody known"):
        open_note(SPEC_NOTE)


def test_many_signatures_are_read_and_no_more():
    others = [other(number) for number in range(MAX_SIGNATURES - 1)]
    assert GO_TEXT == open_note(with_signatures(*others, SIGNATURE), KEY)
    with pytest.raises(NoteError, match="at most 64"):
        open_note(with_signatures(*others, SIGNATURE, other(64)), KEY)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        GO_TEXT,
        f"{GO_TEXT}\n",
        f"{GO_TEXT}{SIGNATURE}\n",
        GO_NOTE.removesuffix("\n"),
        GO_NOTE + "\n",
        GO_NOTE + "more\n",
        GO_NOTE.replace("— ", "- "),
        GO_NOTE.replace("— ", "—"),
        GO_NOTE.replace("— ", "—  "),
        GO_NOTE.replace("\n", "\r\n"),
        GO_NOTE.replace("JnAM=", "JnAN="),
        GO_NOTE.replace("JnAM=", "JnAM"),
        with_signatures(SIGNATURE, "— PeterNeumann"),
        with_signatures(SIGNATURE, "— Peter+Neumann AAAAAAAA"),
        with_signatures(SIGNATURE, "— PeterNeumann AAAA"),
        "\0" + GO_NOTE,
        "\t" + GO_NOTE,
        "\ud800" + GO_NOTE,
    ],
)
def test_what_has_not_the_form_is_no_note(note):
    with pytest.raises(NoteError, match="note"):
        open_note(note, KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\0b", "\ud800"])
def test_a_name_has_neither_spaces_nor_a_plus(name):
    with pytest.raises(NoteError, match="name of a key"):
        sign_note("text\n", name, GO_SEED)


@pytest.mark.parametrize("text", ["", "no end", "tab\t\n", "\ud800\n", "\0\n"])
def test_what_no_note_can_hold_is_not_signed(text):
    with pytest.raises(NoteError, match="note"):
        sign_note(text, "name", GO_SEED)


def test_notes_that_were_appended_one_to_another_come_apart():
    notes = [SPEC_NOTE, GO_NOTE, with_signatures(SIGNATURE, other(1)), sign_note("a\n\nb\u2028c\n", "n", GO_SEED)]
    assert notes == list(split_notes("".join(notes)))
    assert notes == list(split_notes("\n\n".join([*notes, ""])))
    assert [] == list(split_notes(""))
    assert [] == list(split_notes("\n\n"))


@pytest.mark.parametrize("cut", [1, 40, len(SPEC_NOTE) - 30])
def test_a_note_that_was_cut_off_is_told_as_one_that_is_none(cut):
    whole, rest = split_notes(GO_NOTE + SPEC_NOTE[:-cut])
    assert GO_NOTE == whole
    with pytest.raises(NoteError):
        open_note(rest, VerifierKey.parse(SPEC_KEY))
