import json
from functools import cache
from hashlib import sha256

import pytest

from scopekey.audit.checkpoint import Checkpoint, CheckpointError, read_checkpoint, sign_checkpoint
from scopekey.audit.merkle import (
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from scopekey.audit.note import VerifierKey, verifier_key
from scopekey.audit.proof import check_proof, read_proof, write_proof, write_tlog_proof
from scopekey.audit.tiles import (
    TileName,
    bundle_path,
    decode_bundle,
    encode_bundle,
    node_of,
    read_path,
    tile_path,
    width_at,
)
from tests.audit.trees import reader, tiles_of
from tests.vectors.rows import vectors

FILE = vectors("log.json")
SEED = bytes.fromhex(FILE["seed"])
KEY = VerifierKey.parse(FILE["verifier_key"])
SIZE = 70_000


def entry(index):
    return b'{"at":%d,"kind":"change","nonce":"%032x"}' % (1_700_000_000_000 + index, index)


@cache
def tiles():
    return tiles_of([leaf_hash(entry(index)) for index in range(SIZE)])


def node(level, index):
    return node_of(reader(tiles()))(level, index)


def hashes(row):
    return [bytes.fromhex(one) for one in row["hashes"]]


def rows(name, told):
    return pytest.mark.parametrize("row", FILE[name], ids=told)


def test_the_key_that_verifies_belongs_to_the_seed():
    assert FILE["verifier_key"] == str(verifier_key(FILE["origin"], SEED)) == str(KEY)


@rows("leaves", lambda row: str(row["index"]))
def test_an_entry_has_its_leaf(row):
    assert row["entry"].encode() == entry(row["index"])
    assert row["leaf"] == leaf_hash(entry(row["index"])).hex()


@rows("roots", lambda row: str(row["size"]))
def test_a_size_has_its_root(row):
    assert row["root"] == root_hash(row["size"], node).hex()


@rows("tiles", lambda row: row["path"])
def test_a_tile_has_its_hashes(row):
    level, number, width = row["level"], row["number"], row["width"]
    assert width == width_at(level, number, row["size"])
    assert row["sha256"] == sha256(tiles()[level, number][: width * 32]).hexdigest()
    assert row["path"] == tile_path(level, number, width)


@rows("bundles", lambda row: row["path"])
def test_a_bundle_has_its_entries(row):
    first = row["number"] * 256
    entries = [entry(index) for index in range(first, first + row["width"])]
    assert row["width"] == width_at(0, row["number"], row["size"])
    assert row["sha256"] == sha256(encode_bundle(entries)).hexdigest()
    assert entries == decode_bundle(encode_bundle(entries))
    assert row["path"] == bundle_path(row["number"], row["width"])


@rows("paths", lambda row: row["path"])
def test_a_path_has_one_reading(row):
    assert TileName(row["level"], row["number"], row["width"]) == read_path(row["path"])


@rows("bad_paths", str)
def test_other_paths_are_refused(row):
    with pytest.raises(ValueError, match="no path"):
        read_path(row)


@rows("bad_bundles", lambda row: row["why"])
def test_other_bundles_are_refused(row):
    with pytest.raises(ValueError, match="the bundle"):
        decode_bundle(bytes.fromhex(row["bytes"]))


@rows("checkpoints", lambda row: row.get("why", str(row["size"])))
def test_a_checkpoint_says_size_and_root(row):
    checkpoint = Checkpoint(FILE["origin"], row["size"], root_hash(row["size"], node))
    assert checkpoint == read_checkpoint(row["note"], KEY)
    if "why" not in row:
        assert row["note"] == sign_checkpoint(checkpoint, SEED)


@rows("bad_checkpoints", lambda row: row["why"])
def test_other_checkpoints_are_refused(row):
    with pytest.raises(CheckpointError):
        read_checkpoint(row["note"], KEY)


@rows("inclusion", lambda row: f"{row['index']} in {row['size']}")
def test_an_entry_is_shown_to_be_in_a_tree(row):
    assert hashes(row) == inclusion_proof(row["index"], row["size"], node)
    leaf, root = leaf_hash(entry(row["index"])), root_hash(row["size"], node)
    verify_inclusion(row["index"], row["size"], leaf, hashes(row), root)


@rows("consistency", lambda row: f"{row['first']} in {row['second']}")
def test_a_tree_is_shown_to_be_the_beginning_of_another(row):
    first, second = row["first"], row["second"]
    assert hashes(row) == consistency_proof(first, second, node)
    verify_consistency(first, second, root_hash(first, node), root_hash(second, node), hashes(row))


@rows("proofs", lambda row: str(row["document"]["index"]))
def test_a_proof_gives_the_entry(row):
    proof = read_proof(json.dumps(row["document"]).encode())
    assert row["document"] == json.loads(write_proof(proof))
    assert row["tlog_proof"] == write_tlog_proof(proof)
    assert f"{row['document']['index']:032x}" == check_proof(proof, KEY).nonce


@rows("bad_proofs", lambda row: row["why"])
def test_other_proofs_are_refused(row):
    with pytest.raises(ProofError):
        check_proof(read_proof(json.dumps(row["document"]).encode()), KEY)
