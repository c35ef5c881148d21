"""The vectors of another implementation (transparency-dev/merkle): what must pass passes, what must fail fails."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from scopekey.audit.merkle import (
    EMPTY_ROOT,
    ProofError,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from scopekey.audit.subtree import Subtree, verify_subtree_consistency, verify_subtree_inclusion
from scopekey.audit.tiles import Growth, node_of

FILE = Path(__file__).parents[3] / "shared" / "reference" / "merkle-vectors.json"
KINDS = {
    "inclusion": (98, 92),
    "consistency": (98, 92),
    "subtreeinclusion": (204, 192),
    "subtreeconsistency": (118, 106),
}


@pytest.fixture(scope="module")
def vectors():
    if not FILE.exists():
        pytest.skip("the reference vectors are beside the repository, and a clone alone has none")
    return json.loads(FILE.read_text())


def check(kind, vector):
    """Check one vector; tells whether its proof holds."""
    proof = [b64decode(one) for one in vector["proof"] or []]
    root, root1, root2, leaf = (b64decode(vector.get(name) or "") for name in ("root", "root1", "root2", "leafHash"))
    try:
        if kind == "inclusion":
            verify_inclusion(vector["leafIdx"], vector["treeSize"], leaf, proof, root)
        elif kind == "consistency":
            verify_consistency(vector["size1"], vector["size2"], root1, root2, proof)
        elif kind == "subtreeinclusion":
            verify_subtree_inclusion(vector["leafIdx"], Subtree(vector["start"], vector["end"], root), leaf, proof)
        else:
            verify_subtree_consistency(Subtree(vector["start"], vector["end"], root1), vector["size"], root2, proof)
    except ProofError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_every_vector_is_judged_as_its_author_judged_it(vectors, kind):
    wrong = [one["file"] for one in vectors[kind] if check(kind, one) is one["wantErr"]]
    assert [] == wrong
    assert KINDS[kind] == (len(vectors[kind]), sum(one["wantErr"] for one in vectors[kind]))


def test_the_roots_of_the_first_eight_trees_are_theirs(vectors):
    leaves = [leaf_hash(bytes.fromhex(one)) for one in vectors["leaf_inputs_hex"]]
    tree = Growth(0, lambda *_: b"")
    tree.extend(leaves)
    node = node_of(lambda level, number: tree.changed()[level, number])
    assert vectors["root_hashes_hex_by_size"] == [root_hash(size, node).hex() for size in range(9)]
    assert EMPTY_ROOT.hex() == vectors["root_hashes_hex_by_size"][0]
