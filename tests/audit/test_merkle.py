import pytest

from scopekey.audit.merkle import (
    EMPTY_ROOT,
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.audit.trees import leaf, plain_node, plain_root

LEAVES = [leaf(number) for number in range(20)]
NODE = plain_node(LEAVES)


def test_leaves_and_nodes_are_told_apart_by_their_first_byte():
    assert "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" == leaf_hash(b"").hex()
    assert leaf_hash(b"\1" + LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


def test_an_empty_tree_has_the_hash_of_nothing_as_its_root():
    assert "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" == EMPTY_ROOT.hex()
    assert EMPTY_ROOT == root_hash(0, NODE)


def test_roots_are_those_of_the_definition():
    assert [plain_root(LEAVES[:size]) for size in range(21)] == [root_hash(size, NODE) for size in range(21)]


def test_every_leaf_of_every_small_tree_has_a_proof():
    for size in range(1, 21):
        for index in range(size):
            proof = inclusion_proof(index, size, NODE)
            verify_inclusion(index, size, LEAVES[index], proof, root_hash(size, NODE))


def test_every_small_tree_is_shown_to_be_the_beginning_of_every_greater_one():
    for second in range(1, 21):
        for first in range(1, second + 1):
            proof = consistency_proof(first, second, NODE)
            verify_consistency(first, second, root_hash(first, NODE), root_hash(second, NODE), proof)


def test_a_proof_goes_from_the_sibling_of_the_leaf_upwards():
    assert [LEAVES[3], NODE(1, 0), LEAVES[4]] == inclusion_proof(2, 5, NODE)


def test_the_consistency_proof_of_the_rfc_is_made_as_it_says():
    assert [LEAVES[2], LEAVES[3], NODE(1, 0), plain_root(LEAVES[4:7])] == consistency_proof(3, 7, NODE)
    assert [plain_root(LEAVES[4:7])] == consistency_proof(4, 7, NODE)
    assert [NODE(1, 2), LEAVES[6], NODE(2, 0)] == consistency_proof(6, 7, NODE)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (6, 5)])
def test_there_is_no_proof_of_an_entry_that_is_not_there(index, size):
    with pytest.raises(ValueError, match=f"no entry {index} among {size}"):
        inclusion_proof(index, size, NODE)
    with pytest.raises(ProofError, match=f"no entry {index} among {size}"):
        verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_an_empty_tree_and_a_greater_one_show_nothing(first, second):
    with pytest.raises(ValueError, match="the smaller has at least one"):
        consistency_proof(first, second, NODE)
    with pytest.raises(ProofError, match="no part"):
        verify_consistency(first, second, EMPTY_ROOT, EMPTY_ROOT, [])


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        ([], "too few"),
        ([LEAVES[3], NODE(1, 0)], "too few"),
        ([LEAVES[3], NODE(1, 0), LEAVES[4], LEAVES[4]], "more than"),
        ([LEAVES[3], NODE(1, 0), LEAVES[5]], "another root"),
        ([LEAVES[3], NODE(1, 0), b"short"], "no hash of 32 bytes"),
        ([LEAVES[3], NODE(1, 0) + b"\0", LEAVES[4]], "no hash of 32 bytes"),
    ],
)
def test_a_proof_that_does_not_hold_says_why(proof, why):
    with pytest.raises(ProofError, match=why):
        verify_inclusion(2, 5, LEAVES[2], proof, root_hash(5, NODE))


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        ([], "empty"),
        ([LEAVES[2], LEAVES[3], NODE(1, 0)], "too few"),
        ([LEAVES[2], LEAVES[3], NODE(1, 0), plain_root(LEAVES[4:7]), LEAVES[0]], "more than"),
        ([LEAVES[2], LEAVES[3], NODE(1, 1), plain_root(LEAVES[4:7])], "not the beginning"),
        ([LEAVES[2], LEAVES[3], NODE(1, 0), LEAVES[4]], "does not go on"),
        ([LEAVES[2], LEAVES[3], NODE(1, 0), b""], "no hash of 32 bytes"),
    ],
)
def test_a_consistency_proof_that_does_not_hold_says_why(proof, why):
    with pytest.raises(ProofError, match=why):
        verify_consistency(3, 7, root_hash(3, NODE), root_hash(7, NODE), proof)


def test_trees_of_one_size_have_one_root():
    verify_consistency(5, 5, LEAVES[0], LEAVES[0], [])
    with pytest.raises(ProofError, match="does not go on"):
        verify_consistency(5, 5, LEAVES[0], LEAVES[1], [])
