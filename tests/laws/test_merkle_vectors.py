"""The published vectors of transparency-dev/merkle, each a proof that must hold or must fail.

They lie beside the repository, in ``../shared/reference`` as seen from its root; where that folder is
not, as in a clone of the repository alone, these tests skip.
"""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from scopekey.audit.merkle import ProofError, leaf_hash, node_hash, root_hash, verify_consistency, verify_inclusion
from scopekey.audit.subtree import verify_subtree_consistency, verify_subtree_inclusion

REFERENCE = Path(__file__).parents[2] / "../shared/reference/merkle-vectors.json"
pytestmark = pytest.mark.skipif(
    not REFERENCE.exists(), reason="needs ../shared/reference/merkle-vectors.json beside the repository"
)
KINDS = {
    "inclusion": lambda row: verify_inclusion(
        row["leafIdx"], row["treeSize"], row["leafHash"], row["proof"], row["root"]
    ),
    "consistency": lambda row: verify_consistency(row["size1"], row["size2"], row["root1"], row["root2"], row["proof"]),
    "subtreeinclusion": lambda row: verify_subtree_inclusion(
        row["leafIdx"], range(row["start"], row["end"]), row["leafHash"], row["proof"], row["root"]
    ),
    "subtreeconsistency": lambda row: verify_subtree_consistency(
        range(row["start"], row["end"]), row["size"], row["root1"], row["root2"], row["proof"]
    ),
}
HASHES = ("leafHash", "root", "root1", "root2")


@pytest.fixture(scope="module")
def published():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


def holds(verify, row):
    read = {name: b64decode(value) if name in HASHES else value for name, value in row.items()}
    try:
        verify(read | {"proof": [b64decode(one) for one in row["proof"] or ()]})
    except ProofError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_every_vector_that_must_pass_passes_and_every_one_that_must_fail_fails(published, kind):
    rows = published[kind]
    expected = {row["file"]: not row["wantErr"] for row in rows}
    assert expected == {row["file"]: holds(KINDS[kind], row) for row in rows}
    counts = published["counts"][kind]
    assert (counts["total"], counts["must_fail"]) == (len(rows), list(expected.values()).count(False))


def test_the_published_roots_are_ours(published):
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in published["leaf_inputs_hex"]]

    def node(level, index):
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    roots = [root_hash(size, node).hex() for size in range(len(leaves) + 1)]
    assert published["root_hashes_hex_by_size"] == roots
