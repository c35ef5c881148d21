"""A key that was read is kept until anything changes, and no longer."""

from scopekey.replica import kept
from tests.contract.index import apply, key, load
from tests.replica.beside import finish


def test_a_key_is_read_once_for_each_change_of_the_index(index, other, monkeypatch):
    load(index, key(1), key(2))
    reads = []
    begin = index._files.begin
    monkeypatch.setattr(index._files, "begin", lambda: reads.append(1) or begin())
    assert [key(1)] * 3 == [index.key(key(1).id) for _ in range(3)]
    assert 1 == len(reads)
    finish(other("apply(index, key(2, revoked=7))"))
    assert [key(1), 7] == [index.key(key(1).id), index.key(key(2).id).revoked]
    assert 3 == len(reads)


def test_a_key_that_is_not_there_is_never_kept(index):
    load(index, key(1))
    assert [None, None] == [index.key(key(2).id) for _ in range(2)]
    assert {} == index._kept.keys


def test_many_different_keys_do_not_grow_memory(index, monkeypatch):
    monkeypatch.setattr(kept, "MOST_KEPT", 3)
    load(index, *(key(number) for number in range(20)))
    for number in range(20):
        assert key(number) == index.key(key(number).id)
        assert 3 >= len(index._kept.keys)


def test_what_a_reader_reads_while_it_is_overtaken_by_a_change_is_not_kept_for_later(index, monkeypatch):
    load(index, key(1))
    begin = index._files.begin

    def overtaken():
        monkeypatch.setattr(index._files, "begin", begin)
        view = begin()
        apply(index, key(1, revoked=5))
        index.now()
        return view

    monkeypatch.setattr(index._files, "begin", overtaken)
    assert key(1) == index.key(key(1).id)
    assert 5 == index.key(key(1).id).revoked
