"""A proof is checked with the public key and nothing else, and nothing of it can be changed."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.audit.entry import read_entry
from scopekey.audit.merkle import ProofError, inclusion_proof
from scopekey.audit.note import verifier_key
from scopekey.audit.proof import check_proof, make_proof, read_proof, write_proof, write_tlog_proof
from scopekey.audit.tiles import node_of
from tests.audit.made import KEY, ORIGIN, MadeLog

LOG = MadeLog(300, 77)


def proof_of(index, log=LOG):
    hashes = inclusion_proof(index, len(log.entries), node_of(log.tile))
    return make_proof(index, log.entries[index], hashes, log.checkpoint())


@pytest.mark.parametrize("index", [0, 1, 255, 256, 376])
def test_a_proof_gives_the_entry_and_the_size_of_the_log(index):
    proved = check_proof(read_proof(write_proof(proof_of(index))), KEY)
    assert (read_entry(LOG.entries[index]), index, 377) == (proved.entry, proved.index, proved.checkpoint.size)


@given(st.integers(0, 376), st.data())
@settings(max_examples=100, deadline=None)
def test_any_changed_character_is_found(index, data):
    written = write_proof(proof_of(index)).decode()
    at = data.draw(st.integers(0, len(written) - 1))
    changed = data.draw(st.characters(codec="utf-8").filter(lambda one: one != written[at]))
    text = written[:at] + changed + written[at + 1 :]
    try:
        proved = check_proof(read_proof(text.encode()), KEY)
    except ProofError:
        return
    # White space between members says nothing: what is proved is the same.
    assert proved == check_proof(proof_of(index), KEY)


def test_the_key_of_another_log_is_refused():
    with pytest.raises(ProofError, match="the checkpoint is not this log's"):
        check_proof(proof_of(3), verifier_key(ORIGIN, bytes(32)))
    with pytest.raises(ProofError, match="the checkpoint is not this log's"):
        check_proof(proof_of(3), verifier_key("example.com/another", bytes(range(32))))


def test_another_entry_at_that_place_is_refused():
    proof = proof_of(3)
    with pytest.raises(ProofError, match="leads to another root"):
        check_proof(msgspec.structs.replace(proof, entry=proof_of(4).entry), KEY)
    with pytest.raises(ProofError):
        check_proof(msgspec.structs.replace(proof, index=4), KEY)
    with pytest.raises(ProofError):
        check_proof(msgspec.structs.replace(proof, index=377), KEY)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"format":"another/1"}'])
def test_what_is_no_proof_is_refused_with_the_form_it_should_have(text):
    with pytest.raises(ProofError, match="scopekey-entry-proof/1"):
        read_proof(text)


def test_the_same_is_written_in_the_form_that_other_tools_know():
    proof = proof_of(3)
    lines = write_tlog_proof(proof).split("\n")
    assert ["c2sp.org/tlog-proof@v1", "index 3", *proof.proof, ""] == lines[: 3 + len(proof.proof)]
    assert proof.checkpoint == "\n".join(lines[3 + len(proof.proof) :])
