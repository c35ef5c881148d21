"""The log is sealed: entries get their numbers, their place in the tree, and a signed checkpoint."""

import threading

import pytest

from scopekey.audit.checkpoint import read_checkpoint
from scopekey.audit.entry import Entry, canonical
from scopekey.audit.merkle import EMPTY_ROOT, inclusion_proof, leaf_hash, node_hash, root_hash, verify_inclusion
from scopekey.audit.note import verifier_key
from scopekey.audit.tiles import node_of
from scopekey.authority import seal_log
from scopekey.authority.seal_log import LogSealer, log_key
from scopekey.store.errors import StoreUnavailableError

SEED = b"s" * 32


def sealer(home, **more):
    return LogSealer(home.store, seed=SEED, clock=lambda: home.now, **more)


def arrive(home, number, first=0):
    alike = {"at": home.now, "kind": "decision", "allowed": True}
    made = [Entry(nonce=f"{at:032x}", **alike) for at in range(first, first + number)]
    bodies = [canonical(entry) for entry in made]
    with home.store.writing() as tx:
        tx.entries.append(bodies)
    return bodies


def bodies_of(home):
    with home.store.reading() as tx:
        return tx.log.bodies(0, tx.log.state().size)


def test_what_arrived_is_numbered_in_the_order_in_which_it_came(either):
    begun = [stored.body for stored in reversed(either.entries())]
    arrived = arrive(either, 700)
    assert len(begun) + 700 == sealer(either)()
    assert begun + arrived == bodies_of(either)
    with either.store.reading() as tx:
        assert 0 == tx.log.waiting()
        assert list(range(len(begun) + 700)) == [row.log_index for row in reversed(tx.entries.newest(10_000))]


def test_nothing_to_seal_makes_no_checkpoint(home):
    assert sealer(home)() > 0
    assert 0 == sealer(home)()
    with home.store.reading() as tx:
        assert 1 == len(list(tx.log.checkpoints()))


def test_each_checkpoint_is_signed_and_says_the_root_of_all_entries_so_far(home):
    seal = sealer(home)
    sizes = []
    for number in (0, 1, 255, 300, 1_000):
        arrive(home, number)
        seal()
        sizes.append(len(bodies_of(home)))
    leaves = [leaf_hash(body) for body in bodies_of(home)]
    with home.store.reading() as tx:
        kept = list(tx.log.checkpoints())
        key = log_key(tx, SEED)
    assert set(sizes) <= {checkpoint.size for checkpoint in kept}
    for checkpoint in kept:
        read = read_checkpoint(checkpoint.note, key)
        assert checkpoint.size == read.size
        assert _root(leaves[: checkpoint.size]) == read.root
    assert read.root != EMPTY_ROOT


def _root(leaves):
    """RFC 9162 section 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(_root(leaves[:half]), _root(leaves[half:]))


def test_the_tiles_prove_any_entry(home):
    arrive(home, 600)
    sealer(home)()
    bodies = bodies_of(home)
    with home.store.reading() as tx:
        node, newest = node_of(tx.log.tile), read_checkpoint(tx.log.checkpoint().note, log_key(tx, SEED))
        size, root = newest.size, newest.root
        assert root == root_hash(size, node)
        for index in (0, 1, 255, 256, size - 1):
            proof = inclusion_proof(index, size, node)
            verify_inclusion(index, size, leaf_hash(bodies[index]), proof, root)


def test_of_two_that_seal_at_once_each_entry_gets_one_number(either):
    arrive(either, 3_000)
    workers = [threading.Thread(target=sealer(either)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sealer(either)()
    bodies = bodies_of(either)
    assert len(bodies) == len(set(bodies)) >= 3_000
    with either.store.reading() as tx:
        assert 0 == tx.log.waiting()


@pytest.mark.postgres
def test_where_another_process_seals_it_is_left_to_that_one(postgres_home):
    arrive(postgres_home, 5)
    with postgres_home.store.writing() as tx:
        assert tx.log.hold() is not None
        assert 0 == sealer(postgres_home)()
    assert sealer(postgres_home)() > 0


def test_an_entry_that_was_not_committed_when_the_log_was_sealed_is_sealed_later(postgres_home):
    sealer(postgres_home)()
    late = Entry(nonce="f" * 32, at=1, kind="decision", allowed=True)
    with postgres_home.store.writing() as tx:
        tx.entries.append([canonical(late)])
        soon = arrive(postgres_home, 3)
        assert 3 == sealer(postgres_home)()
    assert 1 == sealer(postgres_home)()
    assert [*soon, canonical(late)] == bodies_of(postgres_home)[-4:]


def test_the_log_keeps_the_name_it_was_begun_with(home):
    sealer(home, origin="example.com/audit")()
    arrive(home, 1)
    sealer(home, origin="example.com/another")()
    with home.store.reading() as tx:
        assert "example.com/audit" == tx.log.checkpoint().note.partition("\n")[0]


def test_a_log_without_a_name_is_called_after_its_key(home):
    sealer(home)()
    with home.store.reading() as tx:
        name = tx.log.checkpoint().note.partition("\n")[0]
        assert str(verifier_key(name, SEED)) == str(log_key(tx, SEED))
    assert name.startswith("scopekey-log/")


def test_each_checkpoint_is_told_to_every_head_even_if_one_of_them_fails(home, caplog):
    told = []

    def broken(checkpoint):
        raise OSError(28, "No space left on device", "heads")

    seal = sealer(home, heads=[broken, told.append])
    seal()
    arrive(home, seal_log.AT_ONCE + 1)
    seal()
    with home.store.reading() as tx:
        assert [checkpoint.note for checkpoint in tx.log.checkpoints()] == [checkpoint.note for checkpoint in told]
    assert 1 == len(caplog.records)


def test_a_failure_while_sealing_leaves_everything_waiting(home, monkeypatch):
    arrive(home, 10)

    def broken(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(seal_log, "sign_checkpoint", broken)
        with pytest.raises(ZeroDivisionError):
            sealer(home)()
    with home.store.reading() as tx:
        assert (0, None) == (tx.log.state().size, tx.log.checkpoint())
        waiting = tx.log.waiting()
    assert waiting == sealer(home)()


def test_a_store_that_is_away_says_so(home, monkeypatch):
    home.store.close()
    with home.store.writing() as tx:
        tx.connection.exec_driver_sql("DROP TABLE checkpoints")
    with pytest.raises(StoreUnavailableError):
        sealer(home)()
