import pytest

from scopekey.audit.checkpoint import Checkpoint, CheckpointError, parse_checkpoint, read_checkpoint, sign_checkpoint
from scopekey.audit.merkle import EMPTY_ROOT
from scopekey.audit.note import NoteError, sign_note, verifier_key

SEED = bytes(range(32))
KEY = verifier_key("audit.example/log", SEED)
CHECKPOINT = Checkpoint("audit.example/log", 20_852_163, EMPTY_ROOT)
ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_its_text_is_origin_size_and_root():
    assert f"audit.example/log\n20852163\n{ROOT}\n" == CHECKPOINT.text


def test_a_signed_checkpoint_reads_back():
    assert CHECKPOINT == read_checkpoint(sign_checkpoint(CHECKPOINT, SEED), KEY)


def test_lines_that_others_added_are_left_out():
    assert CHECKPOINT == parse_checkpoint(CHECKPOINT.text + "more\nand more\n")
    assert CHECKPOINT == read_checkpoint(sign_note(CHECKPOINT.text + "more\n", KEY.name, SEED), KEY)


@pytest.mark.parametrize("size", [0, 1, 2**63 - 1])
def test_every_size_has_one_spelling(size):
    checkpoint = Checkpoint("o", size, EMPTY_ROOT)
    assert checkpoint == parse_checkpoint(checkpoint.text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "o\n1\n",
        f"o\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"o\n\n{ROOT}\n",
        f"o\n1\n{ROOT}\n\n",
        f"o\n1\n{ROOT}\n\nmore\n",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n1 \n{ROOT}\n",
        f"o\n1_0\n{ROOT}\n",
        f"o\n\u0661\n{ROOT}\n",
        f"o\n{2**63}\n{ROOT}\n",
        f"o\n{10**40}\n{ROOT}\n",
        f"o\n1\n{ROOT[:-1]}\n",
        f"o\n1\n{ROOT[:-2]}V=\n",
        "o\n1\nAAAA\n",
        "o\n1\nnot base64\n",
        f"o\r\n1\r\n{ROOT}\r\n",
    ],
)
def test_anything_else_is_no_checkpoint(text):
    with pytest.raises(CheckpointError, match="a checkpoint has"):
        parse_checkpoint(text)


def test_another_log_with_the_same_key_is_another_log():
    note = sign_note(Checkpoint("other.example/log", 1, EMPTY_ROOT).text, KEY.name, SEED)
    with pytest.raises(CheckpointError, match="another log"):
        read_checkpoint(note, KEY)


def test_what_another_key_signed_is_refused():
    with pytest.raises(CheckpointError, match=r"not signed by audit\.example/log"):
        read_checkpoint(sign_checkpoint(CHECKPOINT, bytes(32)), KEY)


def test_an_origin_that_can_name_no_key_is_not_signed():
    with pytest.raises(NoteError, match="spaces nor a plus"):
        sign_checkpoint(Checkpoint("our log", 1, EMPTY_ROOT), SEED)
