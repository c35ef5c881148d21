import json

import msgspec
import pytest

from scopekey.audit.checkpoint import Checkpoint, sign_checkpoint
from scopekey.audit.entry import Entry, canonical
from scopekey.audit.merkle import ProofError, inclusion_proof, leaf_hash, root_hash
from scopekey.audit.note import verifier_key
from scopekey.audit.proof import EntryProof, check_proof, read_proof, write_proof, write_tlog_proof
from tests.audit.trees import plain_node

SEED = bytes(range(32))
KEY = verifier_key("audit.example/log", SEED)
ENTRIES = [Entry(nonce=f"{number:032x}", at=number, kind="change", object="é😀\n") for number in range(5)]
BODIES = [canonical(entry) for entry in ENTRIES]
NODE = plain_node([leaf_hash(body) for body in BODIES])
CHECKPOINT = sign_checkpoint(Checkpoint(KEY.name, 5, root_hash(5, NODE)), SEED)
PROOF = EntryProof(2, BODIES[2], tuple(inclusion_proof(2, 5, NODE)), CHECKPOINT)


def changed(**members):
    return msgspec.structs.replace(PROOF, **members)


def written(**members):
    document = json.loads(write_proof(PROOF)) | members
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def test_a_proof_gives_the_entry():
    assert ENTRIES[2] == check_proof(read_proof(write_proof(PROOF)), KEY)


def test_the_document_is_read_by_people_too():
    document = json.loads(write_proof(PROOF))
    assert ["format", "index", "entry", "proof", "checkpoint"] == list(document)
    assert ("scopekey-proof/1", 2) == (document["format"], document["index"])
    assert BODIES[2] == document["entry"].encode()
    assert b'\n  "index": 2,\n' in write_proof(PROOF)


def test_it_may_be_written_anew_as_long_as_the_entry_stays_as_it_was():
    assert PROOF == read_proof(written())
    assert PROOF == read_proof(written(later=True))


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        (changed(index=3), "another root"),
        (changed(index=5), "no entry 5 among 5"),
        (changed(index=-1), "no entry -1 among 5"),
        (changed(entry=BODIES[3]), "another root"),
        (changed(entry=BODIES[2] + b" "), "another root"),
        (changed(hashes=PROOF.hashes[1:]), "too few"),
        (changed(hashes=(*PROOF.hashes, PROOF.hashes[0])), "more than"),
        (changed(checkpoint=sign_checkpoint(Checkpoint(KEY.name, 4, root_hash(4, NODE)), SEED)), "more than"),
        (changed(checkpoint=sign_checkpoint(Checkpoint(KEY.name, 5, root_hash(4, NODE)), SEED)), "another root"),
        (changed(checkpoint=sign_checkpoint(Checkpoint(KEY.name, 5, root_hash(5, NODE)), bytes(32))), "not signed"),
        (changed(checkpoint=CHECKPOINT.replace("\n5\n", "\n6\n")), "does not verify"),
        (changed(checkpoint=""), "no signed note"),
    ],
)
def test_a_proof_that_does_not_hold_says_why(proof, why):
    with pytest.raises(ProofError, match=why):
        check_proof(proof, KEY)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        written(format=None),
        written(format="scopekey-proof/2"),
        written(format=1),
        written(index="2"),
        written(index=2.5),
        written(entry={}),
        written(entry=None),
        written(proof=[1]),
        written(proof=["AA"]),
        written(proof=None),
        written(checkpoint=None),
    ],
)
def test_anything_else_is_no_proof(document):
    with pytest.raises(ProofError, match="the document is"):
        read_proof(document)


def test_an_entry_that_nobody_can_read_is_in_the_log_all_the_same():
    root = leaf_hash(b"no entry")
    checkpoint = sign_checkpoint(Checkpoint(KEY.name, 1, root), SEED)
    with pytest.raises(ProofError, match="is in the log, but"):
        check_proof(EntryProof(0, b"no entry", (), checkpoint), KEY)


def test_other_tools_get_the_form_of_theirs():
    first, rest = write_tlog_proof(PROOF).split("\n\n", 1)
    version, index, *hashes = first.split("\n")
    assert ("c2sp.org/tlog-proof@v1", "index 2") == (version, index)
    assert json.loads(write_proof(PROOF))["proof"] == hashes
    assert CHECKPOINT == rest
    alone = write_tlog_proof(EntryProof(0, b"", (), CHECKPOINT))
    assert f"c2sp.org/tlog-proof@v1\nindex 0\n\n{CHECKPOINT}" == alone
